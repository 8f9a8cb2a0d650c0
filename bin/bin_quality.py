#!/usr/bin/env python3
"""Tell from its single-copy marker genes how complete a bin is, and how much of it is foreign.

A genome has each family once. So the families that a bin lacks tell what it lacks of its genome, and those that it has
twice tell what it holds of another (docs/method.md, section 7.1). The bins stage uses this module.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

# A gene that an end of its contig cuts off may go on in another contig of the bin. A family counts as found twice from
# this number of genes on, of which a cut one counts as much as it covers of its model.
MIN_EXTRA = 1.4
# A bin is of an archaeon if it has so many times more of the families of archaea: most of these are in bacteria, too,
# and a third of those of bacteria in archaea.
MIN_ARCHAEAL_RATIO = 1.5
# With fewer families found nothing is said about a bin.
MIN_FOUND = 8
# What MIMAG asks of the two tiers (Bowers et al. 2017, Nature Biotechnology 35:725), without its rRNAs and tRNAs:
# completeness above, contamination below.
HIGH_QUALITY = (0.9, 0.05)
MEDIUM_QUALITY = (0.5, 0.1)
# What share of its families is seen where a genome is cut into contigs of one length (bp): parts of genes score less,
# and shorter contigs are not searched (benchmark/cut_genes.py). Long contigs end at repeats, not in genes.
SEEN_LENGTHS = (499, 500, 700, 1000, 1500, 2500, 5000)
SEEN_SHARES = (0.0, 0.69, 0.76, 0.83, 0.87, 0.92, 1.0)
# A bin is seen at least to this share: what is left of one in tiny contigs tells little.
MIN_SEEN = 0.4


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
    domain = (share["archaea"] > MIN_ARCHAEAL_RATIO * share["bacteria"]).to_numpy().astype(np.int64)
    rows = np.arange(len(copies))
    n_found = ((copies > 0).astype(float) @ (weight > 0).astype(float)).to_numpy()[rows, domain].astype(np.int64)
    length, bins = placed["length"], placed["bin"]
    seen = (length * np.interp(length, SEEN_LENGTHS, SEEN_SHARES)).groupby(bins).sum() / length.groupby(bins).sum()
    # What is not seen is taken to be like the rest
    scale = 1 / seen.loc[copies.index].clip(lower=MIN_SEEN).to_numpy()
    rated = pd.DataFrame(
        {
            "markers_found": n_found,
            "completeness": np.minimum(share.to_numpy()[rows, domain] * scale, 1),
            "contamination": (extra @ weight).to_numpy()[rows, domain] * scale,
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
