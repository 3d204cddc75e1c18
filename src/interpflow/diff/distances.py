"""How far apart what the analyses found is on both sides, variable by variable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from interpflow import store
from interpflow.diff.side import Side
from interpflow.record import manifest
from interpflow.record.fingerprint import Fingerprint, distance


@dataclass(frozen=True)
class Apart:
    """A variable of an analysis that differs.

    absolute   the largest difference of two values with the same labels; None by fingerprints
    relative   the largest difference as a share of the larger of the two values; by fingerprints the estimated
               root-mean-square difference as a share of the root mean square
    note       what else there is to say; alone where there are no two values to compare
    """

    variable: str
    absolute: float | None
    relative: float | None
    note: str = ""

    def __str__(self) -> str:
        said = [] if self.absolute is None else [f"{self.absolute:.3g}"]
        said += [] if self.relative is None else [f"{100 * self.relative:.3g}%"]
        return f"{self.variable}: {', '.join([*said, *([self.note] if self.note else [])])}"


def apart(before: Side, after: Side) -> list[Apart]:
    """The variables that differ, of the analyses that both sides have; the furthest apart first."""
    found = [
        each
        for analysis in {**after.findings, **after.fingerprints}
        if analysis in before.findings or analysis in before.fingerprints
        for each in _of_analysis(analysis, before, after)
    ]
    return sorted(found, key=lambda each: -(each.relative or 0.0))


def _of_analysis(analysis: str, before: Side, after: Side) -> Iterator[Apart]:
    if analysis in before.findings and analysis in after.findings:
        old, new = (store.read(side.findings[analysis]) for side in (before, after))
        for name in _names(analysis, {*map(str, old.data_vars)}, {*map(str, new.data_vars)}):
            if isinstance(name, Apart):
                yield name
            elif found := _values(f"{analysis}.{name}", old[name], new[name]):
                yield found
        return
    old_prints, new_prints = (_fingerprints(side, analysis) for side in (before, after))
    for name in _names(analysis, {*old_prints}, {*new_prints}):
        if isinstance(name, Apart):
            yield name
        elif found := _prints(f"{analysis}.{name}", old_prints[name], new_prints[name]):
            yield found


def _names(analysis: str, old: set[str], new: set[str]) -> Iterator[str | Apart]:
    """The names on both sides, and what there is to say of the others."""
    for name in sorted(old | new):
        if name in old and name in new:
            yield name
        else:
            note = "is gone" if name in old else "is new"
            yield Apart(f"{analysis}.{name}", None, None, note)


def _values(name: str, before: xr.DataArray, after: xr.DataArray) -> Apart | None:
    """The distance of two variables where they have the same labels; None where they are the same."""
    try:
        old, new = xr.align(before, after, join="inner")
    except ValueError:  # labels that come twice, or dims of other lengths without labels
        old, new = before, after
    if old.dims != new.dims or old.shape != new.shape or not old.size:
        note = f"{dict(after.sizes)} instead of {dict(before.sizes)}"
        return Apart(name, None, None, note)
    shapes = "" if before.shape == after.shape == old.shape else "of the labels that both have"
    one, other = old.values, new.values
    if one.dtype.kind not in "biuf" or other.dtype.kind not in "biuf":
        unlike = int((one.astype(str) != other.astype(str)).sum())
        return Apart(name, None, None, f"{unlike} of {one.size} differ") if unlike else None
    one, other = one.astype(np.float64), other.astype(np.float64)
    lacking = int((np.isnan(one) != np.isnan(other)).sum())
    with np.errstate(invalid="ignore"):  # infinities less themselves
        off = np.where(one == other, 0.0, np.abs(one - other))
    off = np.where(np.isnan(one) | np.isnan(other), 0.0, off)
    if not off.any() and not lacking and not shapes:
        return None
    larger = np.maximum(np.abs(one), np.abs(other))
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = np.where(off > 0, off / larger, 0.0)
    notes = [shapes] * bool(shapes) + [f"{lacking} on one side alone"] * bool(lacking)
    return Apart(name, float(off.max()), float(np.nanmax(shares)), "; ".join(notes))


def _fingerprints(side: Side, analysis: str) -> Mapping[str, Fingerprint]:
    if analysis not in side.findings:
        return side.fingerprints[analysis]
    found: Mapping[str, Fingerprint] = manifest.account(side.findings[analysis])["variables"]
    return found


def _prints(name: str, before: Fingerprint, after: Fingerprint) -> Apart | None:
    if before["sha256"] == after["sha256"]:
        return None
    if before["shape"] != after["shape"]:
        return Apart(name, None, None, f"shape {after['shape']} instead of {before['shape']}")
    if "sums" not in before or "sums" not in after:
        return Apart(name, None, None, "other values")
    return Apart(name, None, distance(before, after), "root mean square, by fingerprints")
