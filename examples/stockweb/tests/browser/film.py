"""Videos of journeys: Playwright records .webm with an ffmpeg of its own, which is Debian's here; kept as .mp4."""

import json
import shutil
import subprocess
from pathlib import Path

import playwright


def camera(directory: Path) -> Path:
    """Make a directory that Playwright takes for one of its browsers, in which is this machine's ffmpeg."""
    ffmpeg = shutil.which("ffmpeg")
    assert ffmpeg is not None, "ffmpeg is missing: apt-get install ffmpeg (scripts/test-example does it)"
    known = Path(playwright.__file__).parent / "driver" / "package" / "browsers.json"
    browsers = json.loads(known.read_text())["browsers"]
    revision = next(each["revision"] for each in browsers if each["name"] == "ffmpeg")
    home = directory / f"ffmpeg-{revision}"
    home.mkdir(parents=True)
    (home / "ffmpeg-linux").symlink_to(ffmpeg)
    (home / "INSTALLATION_COMPLETE").touch()
    return directory


def developed(film: Path, target: Path) -> subprocess.Popen[bytes]:
    """Begin to make an .mp4, which every browser and chat shows, of a recording."""
    command = ["ffmpeg", "-loglevel", "error", "-y", "-i", str(film), "-c:v", "libx264", "-preset", "ultrafast"]
    command += ["-crf", "30", "-pix_fmt", "yuv420p", "-movflags", "+faststart", str(target)]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL)
