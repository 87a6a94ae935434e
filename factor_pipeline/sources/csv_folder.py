"""Folders with one CSV file per symbol or series."""

from pathlib import Path

from factor_pipeline.errors import SettingsError
from factor_pipeline.sources.protocol import SourceFile


def csv_files(folder: Path, *, data_set: str) -> list[SourceFile]:
    """List ``STEM.csv`` and ``STEM.csv.gz`` in a folder, one per stem, sorted by name.

    Where both exist the plain file counts, as it is what the vendor serves. Hidden files do not.

    Parameters
    ----------
    folder
        Folder of the files; its subfolders are not searched.
    data_set
        Data set they are for, to name the setting in the error.

    Returns
    -------
    list of SourceFile
        At least one.

    Raises
    ------
    SettingsError
        When the folder has no such file.
    """
    chosen = {stem(path.name): path for path in folder.glob("[!.]*.csv.gz")}
    chosen |= {stem(path.name): path for path in folder.glob("[!.]*.csv")}
    if not chosen:
        raise SettingsError(
            f"no .csv or .csv.gz file in {folder}; "
            f"set {data_set}.path to the folder that holds them"
        )
    return sorted((SourceFile(path.name, path) for path in chosen.values()), key=lambda f: f.name)


def stem(name: str) -> str:
    """Name of a file without ``.csv`` or ``.csv.gz``."""
    return name.removesuffix(".gz").removesuffix(".csv")
