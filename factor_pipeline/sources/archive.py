"""Compressed files from strangers: unpacked in memory, within limits, never onto disk."""

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import PureWindowsPath
from typing import Final, Protocol

from factor_pipeline.errors import BadFileError

MAX_BYTES: Final = 256 * 2**20
"""Largest uncompressed file accepted, in bytes; the largest vendor table is some 50 MB."""

MAX_RATIO: Final = 200
"""Most bytes accepted per compressed byte; vendors' tables reach 6, a zip bomb 1,000."""

_RATIO_EXEMPT: Final = 2**20  # a megabyte harms nobody, however well it compresses
_CHUNK: Final = 2**18
_ENCRYPTED: Final = 0x1
# The other methods can blow one small read up without bound inside zipfile.
_METHODS: Final = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ZIP_MAGIC: Final = b"PK"
_ZIP_END: Final = b"PK\x05\x06"
_GZIP_MAGIC: Final = b"\x1f\x8b"
_DAMAGE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    OSError,
    OverflowError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class Member:
    """One file taken out of a zip archive.

    Attributes
    ----------
    name
        Name inside the archive, with forward slashes.
    content
        Uncompressed bytes.
    modified
        Day the archive says the file was last written; 1980-01-01, the first day a zip can
        state, when it says nothing usable.
    """

    name: str
    content: bytes
    modified: date


class _Readable(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...


def single_member(content: bytes, *, suffix: str = ".csv") -> Member:
    """Take the only file with ``suffix`` out of a zip archive.

    Parameters
    ----------
    content
        Bytes of the archive.
    suffix
        Ending of the wanted name, compared without regard to case. Other files may be present
        and are ignored.

    Returns
    -------
    Member
        The file, whole and matching the archive's checksum.

    Raises
    ------
    BadFileError
        ``empty_file``; ``html_page`` or ``not_a_zip`` for something else in its place;
        ``truncated_zip`` and ``corrupt_zip`` for damage; ``wrong_members`` unless exactly one
        name has the suffix; ``unsafe_zip`` for encryption, an unusual compression method, a name
        that leaves the archive's folder, or a ratio above ``MAX_RATIO``; ``zip_too_large`` above
        ``MAX_BYTES``, whatever size the archive claims.
    """
    _expect_zip(content)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            info = _wanted(archive.infolist(), suffix)
            with archive.open(info) as stream:
                data = _collect(_chunks(stream), len(content), kind="zip")
    except _DAMAGE as error:
        raise _damaged_zip(content, error) from error
    return Member(name=info.filename, content=data, modified=_modified(info))


def gunzip(content: bytes) -> bytes:
    """Uncompress gzip bytes; bytes that are not gzip come back as they are.

    Parameters
    ----------
    content
        A gzip file of one or several members, or anything else.

    Returns
    -------
    bytes
        The uncompressed bytes.

    Raises
    ------
    BadFileError
        ``truncated_gzip`` when the end is missing; ``corrupt_gzip`` for other damage;
        ``unsafe_gzip`` above ``MAX_RATIO`` and ``gzip_too_large`` above ``MAX_BYTES``.
    """
    if not content.startswith(_GZIP_MAGIC):
        return content
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
            return _collect(_chunks(stream), len(content), kind="gzip")
    except EOFError as error:
        raise BadFileError(
            "truncated_gzip", "the gzip file ends too early; fetch it again"
        ) from error
    except (zlib.error, OSError) as error:
        raise BadFileError(
            "corrupt_gzip", f"the gzip file is damaged ({error}); fetch it again"
        ) from error


def _expect_zip(content: bytes) -> None:
    start = content[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not content.strip():
        raise BadFileError("empty_file", "the file is empty; fetch it again")
    if start.startswith(b"<"):
        raise BadFileError(
            "html_page",
            "a web page was served in place of a zip archive; check the address and fetch again",
        )
    if not content.startswith(_ZIP_MAGIC):
        raise BadFileError(
            "not_a_zip",
            "the file is no zip archive; check where it comes from and fetch it again",
        )


def _wanted(members: list[zipfile.ZipInfo], suffix: str) -> zipfile.ZipInfo:
    for info in members:
        if _leaves_folder(info.filename):
            raise BadFileError(
                "unsafe_zip",
                "a name inside the archive points outside of it; do not trust this file",
                value=info.filename[:80],
            )
    wanted = [info for info in members if info.filename.lower().endswith(suffix.lower())]
    if len(wanted) != 1:
        raise BadFileError(
            "wrong_members",
            f"the archive holds {len(wanted)} {suffix} files where one is expected; "
            "check that it is the right download",
            value=", ".join(info.filename for info in members)[:80],
        )
    info = wanted[0]
    if info.flag_bits & _ENCRYPTED:
        raise BadFileError(
            "unsafe_zip", "the archive is encrypted; fetch the open file", value=info.filename[:80]
        )
    if info.compress_type not in _METHODS:
        raise BadFileError(
            "unsafe_zip",
            f"compression method {info.compress_type} is not accepted; pack it with deflate",
            value=info.filename[:80],
        )
    return info


def _leaves_folder(name: str) -> bool:
    path = PureWindowsPath(name)  # takes both kinds of slashes
    return bool(".." in path.parts or path.drive or path.root)


def _chunks(stream: _Readable) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK):
        yield chunk


def _collect(chunks: Iterator[bytes], compressed: int, *, kind: str) -> bytes:
    ratio_limit = max(_RATIO_EXEMPT, MAX_RATIO * compressed)
    data = bytearray()
    for chunk in chunks:
        data += chunk
        if len(data) > MAX_BYTES:
            raise BadFileError(
                f"{kind}_too_large",
                f"the file unpacks to more than {MAX_BYTES // 2**20} MiB; "
                "check that it is the right download",
            )
        if len(data) > ratio_limit:
            raise BadFileError(
                f"unsafe_{kind}",
                f"the file unpacks to more than {MAX_RATIO} times its size; do not trust it",
            )
    return bytes(data)


def _damaged_zip(content: bytes, error: Exception) -> BadFileError:
    if _ZIP_END not in content:
        return BadFileError("truncated_zip", "the zip archive ends too early; fetch it again")
    return BadFileError("corrupt_zip", f"the zip archive is damaged ({error}); fetch it again")


def _modified(info: zipfile.ZipInfo) -> date:
    try:
        return date(*info.date_time[:3])
    except ValueError:
        return date(1980, 1, 1)
