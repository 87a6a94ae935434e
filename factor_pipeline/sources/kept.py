"""A provider as it was: files it served in the past, read by its parser of today."""

from dataclasses import dataclass

from factor_pipeline.sources.protocol import Offer, Parsed, Source, SourceFile


@dataclass(frozen=True, slots=True)
class KeptFiles:
    """Files whose bytes were kept, offered in place of those the provider has now.

    Attributes
    ----------
    provider
        Whose files they are; it parses them.
    kept
        The files, under the names they had, sorted by name.
    """

    provider: Source
    kept: tuple[SourceFile, ...]

    @property
    def name(self) -> str:
        """Name of the provider."""
        return self.provider.name

    @property
    def version(self) -> int:
        """Version of the provider's parser."""
        return self.provider.version

    def files(self) -> tuple[SourceFile, ...]:
        """Return the kept files; there may be none."""
        return self.kept

    def parse(self, file: Offer, content: bytes) -> Parsed:
        """Turn the bytes of a file into rows; see the provider."""
        return self.provider.parse(file, content)
