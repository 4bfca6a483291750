"""Copy basic-pitch's models out of the installed package into `model/`, and write tunes of pure tones into `tunes/`."""

from __future__ import annotations

import importlib.util
import math
import shutil
import struct
import wave
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent
RATE = 22_050
SECONDS = 1.0
SILENCE = 0.25
# MIDI numbers: 69 is the A of 440 Hz.
TUNES = {
    "scale": (60, 62, 64, 65, 67, 69, 71, 72),
    "fanfare": (60, 64, 67, 72),
    "low": (40, 43, 45, 40),
    "one": (69,),
}


def tone(note: int) -> list[float]:
    """One note, faded in and out over 20 ms, with silence behind it."""
    frequency, count, fade = 440 * 2 ** ((note - 69) / 12), int(SECONDS * RATE), RATE // 50
    loudness = (0.5 * min(1.0, at / fade, (count - at) / fade) for at in range(count))
    samples = [volume * math.sin(2 * math.pi * frequency * at / RATE) for at, volume in enumerate(loudness)]
    return samples + [0.0] * int(SILENCE * RATE)


def write(path: Path, notes: Sequence[int]) -> None:
    samples = [int(32767 * sample) for note in notes for sample in tone(note)]
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, len(samples), "NONE", "not compressed"))
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))


def main() -> None:
    found = importlib.util.find_spec("basic_pitch")
    if found is None or found.origin is None:
        raise SystemExit("the package basic-pitch is not installed: pip install --no-deps basic-pitch")
    for folder in ("model", "tunes"):
        (HERE / folder).mkdir(exist_ok=True)
    models = Path(found.origin).parent / "saved_models/icassp_2022"
    shutil.copy(models / "nmp.onnx", HERE / "model")
    shutil.copytree(models / "nmp", HERE / "model" / "nmp", dirs_exist_ok=True)
    for name, notes in TUNES.items():
        write(HERE / "tunes" / f"{name}.wav", notes)


if __name__ == "__main__":
    main()
