#!/usr/bin/env python3
"""Tell from its single-copy marker genes how complete a bin is, and how much of it is foreign.

A genome has each family once. So the families that a bin lacks tell what it lacks of its genome, and those that it has
twice tell what it holds of another (docs/method.md, section 8). The bins stage uses this module.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

# A gene that an end of its contig cuts off may go on in another contig of the bin. A family counts as found twice from
# this number of genes on, of which a cut one counts as much as it covers of its model.
MIN_EXTRA = 1.4
# With fewer families found nothing is said about a bin.
MIN_FOUND = 8
# What MIMAG asks of the two tiers (Bowers et al. 2017, Nature Biotechnology 35:725), without its rRNAs and tRNAs:
# completeness above, contamination below.
HIGH_QUALITY = (0.9, 0.05)
MEDIUM_QUALITY = (0.5, 0.1)
# Contigs below this length were not searched for genes: MIN_CONTIG_LENGTH in markers.py
MIN_SEARCHED_LENGTH = 500


class Marked(NamedTuple):
    """What is known of the marker genes of some contigs."""

    markers: pd.DataFrame  # rows of markers.tsv
    families: pd.DataFrame  # marker_families.tsv


def copies_by_bin(placed: pd.DataFrame, markers: pd.DataFrame, families: pd.Series) -> pd.DataFrame:
    """Return the number of genes of each family (columns) in each bin (rows); a cut gene counts as what it covers.

    placed: contig, bin; one row for every bin of a contig.
    """
    found = placed[["contig", "bin"]].merge(markers[["contig", "family", "covered"]], on="contig")
    copies = found.groupby(["bin", "family"])["covered"].sum().unstack(fill_value=0.0)
    return copies.reindex(index=placed["bin"].unique(), columns=families, fill_value=0.0)


def rate_bins(placed: pd.DataFrame, marked: Marked) -> pd.DataFrame:
    """Return markers_found, completeness, contamination and quality of each bin (index), nan or "" if not known.

    placed: contig, bin and length (bp); one row for every bin of a contig. The bin is of the domain whose families it
    has more of.
    """
    families = marked.families.set_index("family")
    copies = copies_by_bin(placed, marked.markers, families.index)
    weight = families / families.sum().clip(lower=np.finfo(float).tiny)
    found, extra = copies.clip(upper=1), (copies - 1).where(copies >= MIN_EXTRA, 0.0)
    share = found @ weight
    domain = share.to_numpy().argmax(axis=1)
    rows = np.arange(len(copies))
    n_found = ((copies > 0).astype(float) @ (weight > 0).astype(float)).to_numpy()[rows, domain].astype(np.int64)
    length, bins = placed["length"], placed["bin"]
    searched = length.where(length >= MIN_SEARCHED_LENGTH, 0).groupby(bins).sum() / length.groupby(bins).sum()
    # What is in contigs that were not searched is taken to be like the rest
    unseen = 1 / searched.loc[copies.index].clip(lower=0.5).to_numpy()
    rated = pd.DataFrame(
        {
            "markers_found": n_found,
            "completeness": np.minimum(share.to_numpy()[rows, domain] * unseen, 1),
            "contamination": (extra @ weight).to_numpy()[rows, domain] * unseen,
        },
        index=copies.index,
    )
    rated.loc[n_found < MIN_FOUND, ["completeness", "contamination"]] = np.nan
    return rated.round(4).assign(quality=lambda table: quality(table["completeness"], table["contamination"]))


def quality(completeness: pd.Series, contamination: pd.Series) -> np.ndarray:
    """Return the tier of each bin by MIMAG: high, medium or low, contaminated if none, "" if not known."""
    tiers = {
        "": completeness.isna(),
        "high": (completeness > HIGH_QUALITY[0]) & (contamination < HIGH_QUALITY[1]),
        "medium": (completeness >= MEDIUM_QUALITY[0]) & (contamination < MEDIUM_QUALITY[1]),
        "low": contamination < MEDIUM_QUALITY[1],
    }
    return np.select(list(tiers.values()), list(tiers), "contaminated")
