"""Laws that say where a loop stops to gain, from what it does at other places.

A verifier comes in by one number, ratio = FPR / (1 - FNR). Of labels of a policy that is right on a
share a, a / (a + ratio (1 - a)) are right. The boundary is the ratio at which the loop ends as good
as its untouched base.

Four laws. `settled` asks where the loop comes to rest: labels teach their own precision, and a
round of training keeps a share 1 - eps of what it was taught. `LengthMap` goes round by round and
length by length, and counts a wrong label more than a right one. `unfiltered` asks what the loop
itself loses without a filter. `between` asks, too, what it gains behind a filter without errors.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

# Below, a base has not learned a length, and what training spoils of it can't be told from noise.
KNOWN = 0.9
HIGHEST = 1e3  # ratio that is looked at: what gains there gains behind any verifier


def spoilt(base, trained):
    """eps: the share of right answers that training by itself takes away, f[...].

    Args:
      base: share of right answers of the untouched base.
      trained: the same of a control that no verifier touches, as a sham, where it has settled.
    """
    return 1 - np.asarray(trained) / np.asarray(base)


def settled(base, eps):
    """The boundary ratio of a loop that has come to rest, 0 if none gains: 1 - eps / (1 - base).

    Fixed point of a' = (1 - eps) a / (a + ratio (1 - a)). A negative eps gives a ratio above 1:
    such a loop gains though labels are no better than the policy.
    """
    return np.maximum(1 - np.asarray(eps) / (1 - np.asarray(base)), 0.0)


def unfiltered(base, loss):
    """The boundary ratio from what is lost without a filter: 1 / (1 + 2 loss / (1 - base)).

    Behind a perfect verifier a loop gains all that there is, 1 - base, in the end; between the two
    its gain is taken to be linear in (1 - ratio) / (1 + ratio), the margin of right labels over
    wrong ones of a policy that is right on a half. Where nothing is lost, it gains beyond ratio 1.
    """
    return between(1 - np.asarray(base), loss, 1.0)


def between(gained, lost, odds):
    """The boundary ratio from both ends: gained / (gained + (1 + odds) lost).

    Between them the gain is taken to be linear in the precision of labels, a / (a + ratio (1 - a)),
    of a policy of one accuracy a. NaN if either end is not known or infinite.

    Args:
      gained: what a loop gains where no wrong answer is accepted.
      lost: what it loses without a filter; where it gains, it does so beyond ratio 1.
      odds: (1 - a) / a, wrong answers for each right one. 0 makes gains linear in the ratio.
    """
    gained, scale = np.asarray(gained, float), gained + (1 + odds) * np.asarray(lost, float)
    inside = np.where(gained > 0, gained / np.where(scale > 0, scale, 1), 0.0)
    found = np.where((scale > 0) | (gained <= 0), inside, np.inf)
    return np.where(np.isfinite(scale), found, np.nan)


def gained_at(ratio, gained, lost, odds):
    """What a loop gains behind verifiers between both ends, as `between` takes it.

    Args:
      ratio: FPR / (1 - FNR), from 0 to 1.
    """
    share = (1 - np.asarray(ratio)) / (1 + odds * np.asarray(ratio))
    return share * gained - (1 - share) * lost


# Odds after a quarter, a half and all of the rounds: medians of what fits seven configurations of
# `configs/law.py`, reference to 8 updates a round; the highest are 4.8, 3.0, 1.4, the lowest 2.2,
# 1.6, 0.3. Six of these have 40 rounds of 32 updates, one 80 of 8.
ODDS = (3.9, 1.9, 0.7)
AFTER = (10, 20, 40)


def odds_after(num_rounds: int) -> float:
    """ODDS after other numbers of rounds of 32 updates, linear between their logarithms; ends go on
    as they are.
    """
    return float(np.exp(np.interp(np.log(num_rounds), np.log(AFTER), np.log(ODDS))))


def trajectory(base: float, eps: float, ratio: float, num_rounds: int) -> np.ndarray:
    """f[R + 1]: the settled law taken as a return map, a' = (1 - eps) a / (a + ratio (1 - a))."""
    found = [base]
    for _ in range(num_rounds):
        accuracy = found[-1]
        found.append((1 - eps) * accuracy / max(accuracy + ratio * (1 - accuracy), 1e-12))
    return np.array(found)


class LengthMap(NamedTuple):
    """A return map of what a policy has learned of each length, u, and what it shows of it, a.

    A round moves u by a share of the way to what labels teach, a / (a + weight ratio (1 - a)), and
    the policy shows the part of it that training at this learning rate keeps.

    Attributes:
      up: the share where labels teach more than was learned, at most 1.
      down: the share where they teach less, at most 1.
      weight: how many right labels a wrong one outweighs.
    """

    up: float
    down: float
    weight: float

    def faster(self, factor: float) -> LengthMap:
        """The map of a round that moves a policy `factor` times as far."""
        return self._replace(up=min(self.up * factor, 1.0), down=min(self.down * factor, 1.0))

    def trajectory(self, base: np.ndarray, kept: np.ndarray, ratio: float) -> np.ndarray:
        """f[R + 1, L]: share of right answers by round and length; round 0 is the base.

        Args:
          base: f[L], of the untouched base, above 0.
          kept: f[R + 1, L], share of what was learned that a policy shows after each round; see
            `kept`.
        """
        learned, shown, found = base, base, [base]
        for share in kept[1:]:
            taught = shown / (shown + self.weight * ratio * (1 - shown))
            change = taught - learned
            learned = learned + np.where(change > 0, self.up, self.down) * change
            shown = share * learned
            found.append(shown)
        return np.stack(found)

    def boundary(self, base: np.ndarray, kept: np.ndarray, rounds: slice) -> float:
        """The ratio at which the mean over lengths and some rounds is the base's; inf if all gain,
        0 if none does.
        """

        def gain(ratio: float) -> float:
            return self.trajectory(base, kept, ratio)[rounds].mean() - base.mean()

        if gain(HIGHEST) >= 0:
            return np.inf
        if gain(0.0) <= 0:
            return 0.0
        from scipy.optimize import brentq  # here: it takes a while to import

        return brentq(gain, 0.0, HIGHEST, xtol=1e-6)


# Fitted on 192 runs on a fixed range of 16 digits behind six verifiers, 10 rounds of 32 updates at
# a learning rate of 3e-3 each, and on those with a frozen generator, by length: 0.046 off (root
# mean square).
FITTED = LengthMap(up=0.13, down=0.20, weight=1.94)
FITTED_AT = 32 * 3e-3  # updates of a round times their learning rate


def kept(base: np.ndarray, frozen: np.ndarray) -> np.ndarray:
    """f[R + 1, L]: what training keeps of each length, from what a policy shows that is trained on
    the untouched base's answers without a filter; 1 for lengths that the base does not know.

    Args:
      base: f[L], share of right answers of the untouched base.
      frozen: f[R + 1, L], of the policy that is trained on what the base writes.
    """
    return np.where(base >= KNOWN, np.minimum(frozen / np.maximum(base, KNOWN), 1.0), 1.0)
