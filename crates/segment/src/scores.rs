//! Scores a mask against the truth: confusion counts, Dice and Jaccard.
//!
//! ```text
//! Dice    = 2 TP / (2 TP + FP + FN) = 2 |A ∩ B| / (|A| + |B|)
//! Jaccard =   TP / (TP + FP + FN)   = |A ∩ B| / |A ∪ B|      = Dice / (2 − Dice)
//! ```
//!
//! TP, FP, FN, TN: numbers of pixels that are foreground in both, in the mask only, in the truth only, in neither.
//! Where mask and truth are both empty they agree: both scores are 1. Where one is empty both scores are 0.
//!
//! References: Dice (1945), Jaccard (1901).
//!
//! ```
//! use glauber_segment::{Mask, Scores};
//! let mask = Mask::new(1, 4, vec![true, true, false, false])?;
//! let truth = Mask::new(1, 4, vec![false, true, true, false])?;
//! let scores = Scores::of(&mask, &truth)?;
//! assert_eq!((scores.dice(), scores.jaccard()), (0.5, 1.0 / 3.0));
//! # Ok::<(), glauber_segment::SegmentationError>(())
//! ```

use serde::{Deserialize, Serialize};

use super::{Mask, SegmentationError};

/// How often mask and truth agree and disagree, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scores {
    /// Foreground in both.
    pub true_positives: u64,
    /// Foreground in the mask only.
    pub false_positives: u64,
    /// Foreground in the truth only.
    pub false_negatives: u64,
    /// Background in both.
    pub true_negatives: u64,
}

impl Scores {
    /// Counts over all pixels; fails where the sizes differ.
    pub fn of(mask: &Mask, truth: &Mask) -> Result<Scores, SegmentationError> {
        truth.check_size("truth", mask.height(), mask.width())?;
        Ok(Scores::count(mask.inside().iter().copied(), truth.inside()))
    }

    /// Counts over pixels given one by one.
    pub(super) fn count(mask: impl Iterator<Item = bool>, truth: &[bool]) -> Scores {
        let mut counts = [0u64; 4];
        for (inside, &wanted) in mask.zip(truth) {
            counts[usize::from(inside) * 2 + usize::from(wanted)] += 1;
        }
        let [true_negatives, false_negatives, false_positives, true_positives] = counts;
        Scores { true_positives, false_positives, false_negatives, true_negatives }
    }

    /// 2 TP / (2 TP + FP + FN), in [0, 1]; 1 where both are empty.
    pub fn dice(&self) -> f64 {
        let both = 2 * self.true_positives;
        ratio(both, both + self.false_positives + self.false_negatives)
    }

    /// TP / (TP + FP + FN), in [0, 1]; 1 where both are empty.
    pub fn jaccard(&self) -> f64 {
        ratio(self.true_positives, self.true_positives + self.false_positives + self.false_negatives)
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp)]
    use super::*;

    fn scores(mask: [u8; 6], truth: [u8; 6]) -> Scores {
        let of = |bits: [u8; 6]| Mask::new(2, 3, bits.map(|b| b == 1).to_vec()).unwrap();
        Scores::of(&of(mask), &of(truth)).unwrap()
    }

    #[test]
    fn hand_made_cases() {
        let s = scores([1, 1, 1, 0, 0, 0], [0, 1, 1, 1, 1, 0]);
        assert_eq!(
            s,
            Scores { true_positives: 2, false_positives: 1, false_negatives: 2, true_negatives: 1 }
        );
        assert_eq!((s.dice(), s.jaccard()), (4.0 / 7.0, 2.0 / 5.0));
        assert_eq!(scores([1; 6], [1; 6]).dice(), 1.0);
        assert_eq!(scores([1, 0, 1, 0, 1, 0], [0, 1, 0, 1, 0, 1]).jaccard(), 0.0);
    }

    #[test]
    fn empty_masks_agree_and_one_empty_mask_scores_nothing() {
        assert_eq!((scores([0; 6], [0; 6]).dice(), scores([0; 6], [0; 6]).jaccard()), (1.0, 1.0));
        assert_eq!((scores([0; 6], [1; 6]).dice(), scores([1; 6], [0; 6]).jaccard()), (0.0, 0.0));
    }

    #[test]
    fn dice_and_jaccard_are_tied() {
        for code in 0..64u8 {
            let bits = std::array::from_fn(|k| (code >> k) & 1);
            let s = scores(bits, [1, 0, 1, 1, 0, 0]);
            assert!((s.jaccard() - s.dice() / (2.0 - s.dice())).abs() < 1e-15, "{s:?}");
        }
    }

    #[test]
    fn another_size_is_refused() {
        let error =
            Scores::of(&Mask::new(2, 3, vec![true; 6]).unwrap(), &Mask::new(3, 2, vec![true; 6]).unwrap());
        let text = error.unwrap_err().to_string();
        assert!(text.contains("truth has 3 × 2") && text.contains("image 2 × 3"), "{text}");
    }
}
