"""What the bar says inside a batch that takes long is true."""

from __future__ import annotations

import re

SLOW = """
    def predict(self, payload, batch_id):
        if payload[0]["i"] == 24:
            time.sleep(6)
        return super().predict(payload, batch_id)
"""


def test_the_bar_inside_a_slow_batch(trial, terminal, predictor: str) -> None:
    base = predictor.replace("class PythonPredictor", "class Fast")
    trial.write_project(f"{base}\nclass PythonPredictor(Fast):{SLOW}")
    trial.write_rows(32)
    words = [word for word in trial.submission() if word != "--quiet"]
    shown = terminal(*words, "--input", *trial.inputs, "--batch-size", trial.batch_size)
    assert shown.finish() == 0
    frames = re.findall(r"running +(\d+)% .*?(\d+) of 4 batches(.*?)(?=running|$)", shown.text, re.DOTALL)
    slow = [(share, done, rest) for share, done, rest in frames if "slowest batch" in rest]
    # Five times a second, from the third second on.
    assert len(slow) >= 8
    # What was predicted just before it in the same lease is reported behind it.
    ((share, done),) = {(share, done) for share, done, _ in slow}
    assert (share, done) in (("50", "2"), ("75", "3"))
    seconds = [int(re.search(r"slowest batch 0:00:(\d\d)", rest)[1]) for _, _, rest in slow]
    assert seconds == sorted(seconds)
    assert seconds[0] <= 4
    assert seconds[-1] >= 5
    # Quick batches before it promise an end; one that this batch has made untrue is not shown any more.
    for second, (_, _, rest) in zip(seconds, slow, strict=True):
        left = re.search(r"0:00:(\d\d) left", rest)
        assert left is None or int(left[1]) >= second
    trial.check()
