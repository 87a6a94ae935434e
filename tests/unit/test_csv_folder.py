import pytest

from factor_pipeline.errors import SettingsError
from factor_pipeline.sources.csv_folder import csv_files, stem


def test_each_stem_counts_once_and_the_plain_file_wins(tmp_path):
    for name in ("B.csv", "B.csv.gz", "A.csv.gz", "^X.csv", ".hidden.csv", "._A.csv", "a.txt"):
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "folder").mkdir()
    files = csv_files(tmp_path, data_set="etf")
    assert [file.name for file in files] == ["A.csv.gz", "B.csv", "^X.csv"]
    assert [file.read() for file in files] == [b"A.csv.gz", b"B.csv", b"^X.csv"]


@pytest.mark.parametrize("folder", [".", "nowhere"])
def test_a_folder_without_tables_names_the_setting_to_change(tmp_path, folder):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(SettingsError, match=r"etf\.path"):
        csv_files(tmp_path / folder, data_set="etf")


@pytest.mark.parametrize("name", ["BRK.B", "^SP500TR", "TRUE", "X.csv.old"])
def test_a_stem_keeps_every_dot_but_the_ending(name):
    assert stem(name) == stem(f"{name}.csv") == stem(f"{name}.csv.gz") == name
