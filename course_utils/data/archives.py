"""Archives unpacked without letting them write anywhere but into their own folder."""

import errno
import shutil
import tarfile
import zipfile
from pathlib import Path, PurePosixPath, PureWindowsPath

from course_utils.data.errors import DataError, LayoutError, UnsafeArchiveError
from course_utils.data.folders import refuse_existing, settle
from course_utils.files import WriteError, aside_folder, plain_file, reading

__all__ = ["unpack"]

# What the system says when the disk is at fault, not the archive.
DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO)


def unpack(archive: str | Path, folder: str | Path) -> Path:
    """Unpack a tar or zip archive: all members are checked first, and the folder appears whole or not at all.

    If everything in the archive lies in one folder, that folder's content is what is unpacked: ``clouds.tar.gz``
    becomes ``clouds/input`` and not ``clouds/clouds/input``.

    Args:
        archive: the archive; its content, not its name, tells what kind it is.
        folder: the folder to make.

    Returns:
        The folder.

    Raises:
        UnsafeArchiveError: a member would leave the folder (an absolute path, ``..``), or is a link or a device.
        LayoutError: the archive is damaged, of no known kind, or the folder is there already.
        WriteError: the disk has no room for what is in it, or nothing may be written there.
    """
    archive, folder = Path(archive), Path(folder)
    refuse_existing(folder)
    expected = "a whole archive; remove it and fetch it again"
    clear = (DataError, WriteError)
    with aside_folder(folder) as new, reading(f"a damaged archive {archive}", expected, LayoutError, clear):
        try:
            with _open(archive) as opened:
                _unpack(archive, opened, new)
            content = list(new.iterdir())
            settle(content[0] if len(content) == 1 and content[0].is_dir() else new, folder)
        except OSError as error:
            if error.errno in DISK:
                raise WriteError(error.errno, error.strerror, str(folder)) from error
            raise
    return folder


def _unpack(archive: Path, opened: tarfile.TarFile | zipfile.ZipFile, folder: Path) -> None:
    """All members, if none of them is a danger and the disk has room for them."""
    members = opened.infolist() if isinstance(opened, zipfile.ZipFile) else opened.getmembers()
    for member in members:
        _check_member(archive, member)
    size = sum(member.file_size if isinstance(member, zipfile.ZipInfo) else member.size for member in members)
    if size > shutil.disk_usage(folder).free:
        raise OSError(errno.ENOSPC, f"No space left on device for {size:,} bytes")
    if isinstance(opened, tarfile.TarFile):
        opened.extractall(folder, members, filter="data")
        while opened.fileobj.read(1 << 20):     # to the very end, where gzip keeps its checksum
            pass
    else:
        opened.extractall(folder, members)


def _open(archive: Path) -> tarfile.TarFile | zipfile.ZipFile:
    """The archive, whichever of the two kinds it is."""
    if zipfile.is_zipfile(plain_file(archive)):
        return zipfile.ZipFile(archive)
    if tarfile.is_tarfile(archive):
        return tarfile.open(archive)
    raise LayoutError(f"found no tar or zip archive in {archive}, expected one; remove it and fetch it again")


def _check_member(archive: Path, member: tarfile.TarInfo | zipfile.ZipInfo) -> None:
    """Refuse what would write outside the folder, on any system, and what is neither file nor folder."""
    if isinstance(member, tarfile.TarInfo):
        name, plain = member.name, member.isfile() or member.isdir()
    else:
        kind = member.external_attr >> 28           # the Unix file type; 0 if the archive does not tell
        name, plain = member.filename, kind in (0, 0o10, 0o4)
    windows = PureWindowsPath(name)
    leaves = ".." in windows.parts or windows.drive or windows.root or PurePosixPath(name).is_absolute()
    if leaves or not plain:
        why = "leave its folder" if leaves else "make a link or a device"
        raise UnsafeArchiveError(f"found member {name!r} in {archive}, which would {why}, expected plain files and "
                                 "folders; nothing was unpacked, do not use this archive")
