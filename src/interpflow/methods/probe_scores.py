"""Scores of the probes of an analysis, by seed, read, target, condition and depth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from interpflow.methods.readings import Labels, Reading, class_count, scores


class ProbeScores:
    """Tables of scores, filled in read by read and probe by probe."""

    def __init__(
        self, seeds: list[int], reads: list[str], targets: Mapping[str, Labels],
        conditions: list[str], depths: list[int],
    ):  # fmt: skip
        self.seeds, self.reads, self.targets = seeds, reads, list(targets)
        self.conditions, self.depths = conditions, depths
        shape = (len(seeds), len(reads), len(targets))
        most = max([2, *map(class_count, targets.values())])
        self.scores = np.full((2, *shape, len(conditions), len(depths)), np.nan)
        self.confusion = np.zeros((*shape, len(depths), most, most), dtype=np.int32)
        self.always, self.classes = np.full((2, *shape[1:]), np.nan), np.zeros(shape[1:], dtype=int)
        self.padding = np.full(shape[1], np.nan)

    def place(self, read: str, here: Mapping[str, Labels], padding: NDArray[np.bool_]) -> None:
        """Enter the targets (label, n) at the positions of a read, and which positions are padding (n,)."""
        row = self.reads.index(read)
        self.padding[row] = padding.mean()
        self.classes[row] = [class_count(values) for values in here.values()]

    def majority(
        self,
        read: str,
        here: Mapping[str, Labels],
        train: NDArray[np.int64],
        test: NDArray[np.int64],
    ) -> None:
        """Enter the scores of always predicting the most frequent class among the indices `train`."""
        for target, values in here.items():
            frequent = np.array([[np.bincount(row).argmax()] for row in values[:, train]])
            true = values[:, test]
            found = scores(true, np.broadcast_to(frequent, true.shape))
            self.always[:, self.reads.index(read), self.targets.index(target)] = found

    def probe(
        self, read: str, depth: int, reading: Reading, test: NDArray[np.int64], predicted: Labels
    ) -> None:
        """Enter the scores of a reading, from its predictions (label, test) at the indices `test`."""
        place = (
            self.seeds.index(reading.seed), self.reads.index(read), self.targets.index(reading.target),
        )  # fmt: skip
        true = reading.labels[:, test]
        condition = self.conditions.index(reading.condition)
        self.scores[:, *place, condition, depth] = scores(true, predicted)
        if reading.condition == "none" and len(true) == 1:
            np.add.at(self.confusion[*place, depth], (true[0], predicted[0]), 1)

    def of_read(self, read: str) -> NDArray[np.float64]:
        """F1 of one read (seed, target, condition, depth)."""
        return self.scores[0, :, self.reads.index(read)]

    def tables(self) -> dict[str, np.ndarray]:
        """All tables, by the names that `analyses.probe` gives them."""
        (f1, accuracy), (majority_f1, majority_accuracy) = self.scores, self.always
        most = self._most()
        found: dict[str, np.ndarray] = {
            "f1": f1,
            "accuracy": accuracy,
            "confusion": self.confusion[..., :most, :most],
            "majority_f1": majority_f1,
            "majority_accuracy": majority_accuracy,
            "classes": self.classes,
            "padding_share": self.padding,
        }
        if "word_type" in self.conditions:
            chance = accuracy[..., self.conditions.index("word_type"), :]
            found["selectivity"] = accuracy[..., 0, :] - chance
        return found

    def coords(self) -> dict[str, Sequence[str] | Sequence[int]]:
        """The labels along the dims of the tables."""
        return {
            "seed": self.seeds,
            "read": self.reads,
            "target": self.targets,
            "control": self.conditions,
            "hidden_layers": self.depths,
            "true_class": range(self._most()),
            "predicted_class": range(self._most()),
        }

    def _most(self) -> int:
        return max(2, int(self.classes.max()))
