"""From a sound file to the model's windows, and from its answers to notes; nothing here depends on who runs the model."""

import wave

import numpy as np

RATE = 22_050
WINDOW = 43_844  # samples that the model takes at once
HOP = 256  # samples a frame
OVERLAP = 30  # frames that neighbouring windows share
STEP = WINDOW - OVERLAP * HOP
LOWEST = 21  # the MIDI number of the first of 88 keys
SOUNDING, STRUCK = 0.3, 0.3  # how sure the model must be of a frame, and of a beginning
SHORTEST = 11  # frames


def windows(path):
    """Return a mono 16-bit file as overlapping windows, and its length in samples."""
    with wave.open(str(path)) as file:
        if (file.getnchannels(), file.getsampwidth(), file.getframerate()) != (1, 2, RATE):
            raise ValueError(f"{path}: expected mono, 16 bits, {RATE} Hz")
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768
    padded = np.concatenate([np.zeros(OVERLAP * HOP // 2, np.float32), samples])
    starts = range(0, len(padded), STEP)
    made = np.zeros((len(starts), WINDOW, 1), np.float32)
    for row, start in zip(made, starts):
        part = padded[start : start + WINDOW]
        row[: len(part), 0] = part
    return made, len(samples)


def joined(answers, length):
    """Return the answers for overlapping windows as one array of frames by keys."""
    inner = answers[:, OVERLAP // 2 : -(OVERLAP // 2)]
    return inner.reshape(-1, inner.shape[2])[: length // HOP]


def notes(sounding, struck):
    """Return the notes in order: where a key begins to be struck, it sounds until its frames fade."""
    found = []
    for key in range(sounding.shape[1]):
        stop = 0
        peaks = struck[:, key]
        for start in np.flatnonzero(peaks >= STRUCK):
            if start < stop or peaks[start] < peaks[max(0, start - 1) : start + 2].max():
                continue
            faded = np.flatnonzero(sounding[start + 1 :, key] < SOUNDING)
            stop = start + 1 + (int(faded[0]) if len(faded) else len(sounding) - start - 1)
            if stop - start >= SHORTEST:
                found.append((start, stop, LOWEST + key))
    seconds = HOP / RATE
    return [
        {"note": int(note), "start": round(float(start * seconds), 2), "stop": round(float(stop * seconds), 2)}
        for start, stop, note in sorted(found)
    ]
