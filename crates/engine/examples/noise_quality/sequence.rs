//! Tests a sequence of words: frequencies, pairs, gaps, runs, birthdays, collisions, ranks, complexity, weights.
//!
//! Each test is a classical one (Knuth, The Art of Computer Programming 2, §3.3.2; L'Ecuyer and Simard's
//! TestU01; Marsaglia's birthday spacings) with the exact law of its statistic, on all words given.

use crate::laws::{Finding, chi_square, even, gamma_upper, normal_upper, poisson};

/// Runs every test on one sequence of at least 2¹⁷ words.
pub fn test(words: &[u32]) -> Vec<Finding> {
    let mut findings = test_upper_bits(words);
    findings.extend([
        bit_frequencies(words),
        collisions(words),
        ranks_of_words(words),
        weight_patterns(words),
    ]);
    findings.extend([0, 31].map(|bit| ranks_of_one_bit(words, bit)));
    findings.extend([0, 31].map(|bit| linear_complexities(words, bit)));
    findings.extend([1, 2, 3, 4, 6, 9, 64, 4096].map(|lag| weight_correlation(words, lag)));
    findings
}

/// Runs the tests that look at the upper bits more than at the lower ones: worth repeating with bits reversed.
pub fn test_upper_bits(words: &[u32]) -> Vec<Finding> {
    let mut findings =
        vec![gaps(words), runs_up(words), birthdays_of_words(words), birthdays_of_word_pairs(words)];
    findings.extend([1, 2, 3, 4, 6, 9, 64, 4096].map(|lag| pairs(words, lag)));
    findings
}

/// Each of the 32 bits is set half the time.
fn bit_frequencies(words: &[u32]) -> Finding {
    let mut counts = [0_u64; 32];
    for &word in words {
        for (bit, count) in counts.iter_mut().enumerate() {
            *count += u64::from(word >> bit & 1);
        }
    }
    let n = words.len() as f64;
    let statistic: f64 = counts.iter().map(|&count| (2.0 * count as f64 - n).powi(2) / n).sum();
    Finding::new("bit frequencies", gamma_upper(16.0, statistic / 2.0))
}

/// The upper 8 bits of two words, `lag` apart, fill the square evenly; no word is used twice.
fn pairs(words: &[u32], lag: usize) -> Finding {
    let mut counts = vec![0_u64; 65_536];
    for block in words.chunks_exact(2 * lag) {
        for (first, second) in block[..lag].iter().zip(&block[lag..]) {
            counts[(first >> 24 << 8 | second >> 24) as usize] += 1;
        }
    }
    even(format!("pairs {lag} apart"), &counts)
}

/// The waiting times between words in the lowest sixteenth are geometric.
fn gaps(words: &[u32]) -> Finding {
    const LONGEST: usize = 60;
    let mut counts = vec![0_u64; LONGEST + 1];
    let mut gap = 0;
    for &word in words {
        if word >> 28 == 0 {
            counts[gap.min(LONGEST)] += 1;
            gap = 0;
        } else {
            gap += 1;
        }
    }
    let miss: f64 = 15.0 / 16.0;
    let mut law: Vec<f64> = (0..LONGEST as i32).map(|g| miss.powi(g) / 16.0).collect();
    law.push(miss.powi(LONGEST as i32));
    chi_square("gaps", &counts, &law)
}

/// Lengths of increasing runs; the word after each run is dropped, so that lengths are independent.
fn runs_up(words: &[u32]) -> Finding {
    const LONGEST: usize = 7;
    let mut counts = vec![0_u64; LONGEST];
    let mut words = words.iter();
    while let Some(&first) = words.next() {
        let (mut last, mut length) = (first, 1);
        for &next in words.by_ref() {
            if next < last {
                counts[length.min(LONGEST) - 1] += 1;
                break;
            }
            last = next;
            length += 1;
        }
    }
    // P(length ≥ r) = 1 / r!
    let at_least = |r: usize| 1.0 / (1..=r).map(|i| i as f64).product::<f64>();
    let law = (1..=LONGEST).map(|r| if r == LONGEST { at_least(r) } else { at_least(r) - at_least(r + 1) });
    chi_square("runs up", &counts, &law.collect::<Vec<f64>>())
}

/// The number of equal neighbours in a sorted list.
pub fn repeats<T: Ord + Copy>(values: &mut [T]) -> u64 {
    values.sort_unstable();
    values.windows(2).filter(|pair| pair[0] == pair[1]).count() as u64
}

/// Equal words among 2¹⁷, summed over the sequence.
fn collisions(words: &[u32]) -> Finding {
    const MANY: usize = 1 << 17;
    let blocks = words.chunks_exact(MANY);
    let mean = blocks.len() as f64 * MANY as f64 * (MANY - 1) as f64 / 2.0 / 4_294_967_296.0;
    let count = blocks.map(|block| repeats(&mut block.to_vec())).sum();
    poisson("collisions", count, mean)
}

/// Repeated values among the sorted spacings of n birthdays in a year of 2ᵇ days: n³ / 2ᵇ⁺² expected.
fn repeated_spacings(birthdays: &mut [u64]) -> u64 {
    birthdays.sort_unstable();
    let mut spacings: Vec<u64> = birthdays.windows(2).map(|pair| pair[1] - pair[0]).collect();
    repeats(&mut spacings)
}

/// 16 years of 2³² days with 4096 birthdays each.
fn birthdays_of_words(words: &[u32]) -> Finding {
    let years = words.chunks_exact(4096).take(16);
    let count =
        years.map(|year| repeated_spacings(&mut year.iter().map(|&word| word.into()).collect::<Vec<u64>>()));
    poisson("birthday spacings, words", count.sum(), 64.0)
}

/// One year with a birthday for each pair of words, as many days as make 64 repeated spacings likely.
fn birthdays_of_word_pairs(words: &[u32]) -> Finding {
    let size = (words.len() / 2).ilog2();
    let bits = (3 * size - 8).min(64);
    let day = |pair: &[u32]| (u64::from(pair[0]) << 32 | u64::from(pair[1])) >> (64 - bits);
    let mut birthdays: Vec<u64> = words.chunks_exact(2).take(1 << size).map(day).collect();
    let mean = 2_f64.powi(3 * size as i32 - bits as i32 - 2);
    poisson("birthday spacings, pairs", repeated_spacings(&mut birthdays), mean)
}

/// The rank of a square binary matrix of up to 64 rows.
fn rank(mut rows: Vec<u64>) -> usize {
    let mut rank = 0;
    for bit in 0..64 {
        if let Some(found) = (rank..rows.len()).find(|&row| rows[row] >> bit & 1 == 1) {
            rows.swap(rank, found);
            let (done, rest) = rows.split_at_mut(rank + 1);
            for row in rest.iter_mut().filter(|row| **row >> bit & 1 == 1) {
                *row ^= done[rank];
            }
            rank += 1;
        }
    }
    rank
}

/// A χ² test of matrix ranks: full, one less, two less, fewer.
fn ranks(test: String, size: usize, matrices: impl Iterator<Item = Vec<u64>>) -> Finding {
    let mut counts = [0_u64; 4];
    for rows in matrices {
        counts[(size - rank(rows)).min(3)] += 1;
    }
    let within = |from: usize, to: usize| (from..=to).map(|i| 1.0 - 0.5_f64.powi(i as i32)).product::<f64>();
    // P(rank n − d) = 2^(−d²) ∏_{i>d} (1 − 2⁻ⁱ) ∏_{i=n−d+1..n} (1 − 2⁻ⁱ) / ∏_{i≤d} (1 − 2⁻ⁱ)
    let law = |d: usize| {
        0.5_f64.powi((d * d) as i32) * within(d + 1, size) * within(size - d + 1, size) / within(1, d)
    };
    let known = [law(0), law(1), law(2)];
    chi_square(test, &counts, &[known[0], known[1], known[2], 1.0 - known.iter().sum::<f64>()])
}

fn ranks_of_words(words: &[u32]) -> Finding {
    let matrices = words.chunks_exact(32).map(|rows| rows.iter().map(|&word| word.into()).collect());
    ranks("ranks, 32 words".into(), 32, matrices)
}

/// Matrices of 64 × 64 from one bit of 4096 consecutive words.
fn ranks_of_one_bit(words: &[u32], bit: u32) -> Finding {
    let row = |words: &[u32]| words.iter().fold(0, |row, &word| row << 1 | u64::from(word >> bit & 1));
    let matrices = words.chunks_exact(4096).map(|block| block.chunks_exact(64).map(row).collect());
    ranks(format!("ranks, bit {bit}"), 64, matrices)
}

/// The length of the shortest linear recurrence that makes a sequence of bits (Berlekamp and Massey).
fn linear_complexity(bits: &[u8]) -> usize {
    let n = bits.len();
    let (mut current, mut previous) = (vec![0_u8; n + 1], vec![0_u8; n + 1]);
    (current[0], previous[0]) = (1, 1);
    let (mut length, mut since) = (0, 1);
    for i in 0..n {
        let sum = (0..=length).fold(0, |sum, j| sum ^ (current[j] & bits[i - j]));
        if sum == 0 {
            since += 1;
            continue;
        }
        let kept = current.clone();
        for (place, &bit) in current[since..].iter_mut().zip(&previous) {
            *place ^= bit;
        }
        if 2 * length <= i {
            (length, since, previous) = (i + 1 - length, 1, kept);
        } else {
            since += 1;
        }
    }
    length
}

/// Complexities of up to 1024 sequences of 512 bits, one bit a word; their law is known exactly.
fn linear_complexities(words: &[u32], bit: u32) -> Finding {
    const LENGTH: usize = 512;
    const CELLS: usize = 7;
    let centre = LENGTH / 2;
    let mut counts = [0_u64; CELLS];
    for block in words.chunks_exact(LENGTH).take(1024) {
        let bits: Vec<u8> = block.iter().map(|word| (word >> bit & 1) as u8).collect();
        counts[(linear_complexity(&bits) + 3).saturating_sub(centre).min(CELLS - 1)] += 1;
    }
    // P(L = l) = 2^(min(2n − 2l, 2l − 1) − n); the first and last cell take the tails.
    let law = |l: usize| 2_f64.powi((2 * LENGTH - 2 * l).min(2 * l - 1) as i32 - LENGTH as i32);
    let cells = [
        (1..=centre - 3).map(law).sum(),
        law(centre - 2),
        law(centre - 1),
        law(centre),
        law(centre + 1),
        law(centre + 2),
        (centre + 3..=LENGTH).map(law).sum(),
    ];
    chi_square(format!("linear complexity, bit {bit}"), &counts, &cells)
}

/// Five classes of Hamming weight, four words in a row: 625 patterns.
fn weight_patterns(words: &[u32]) -> Finding {
    let class = |word: u32| match word.count_ones() {
        0..14 => 0,
        14..16 => 1,
        16 => 2,
        17..19 => 3,
        _ => 4,
    };
    let weights = crate::laws::binomial_halves(32);
    let mut classes = [0.0; 5];
    for (weight, probability) in (0_u32..).zip(&weights) {
        classes[class(((1_u64 << weight) - 1) as u32)] += probability;
    }
    let mut counts = vec![0_u64; 625];
    for four in words.chunks_exact(4) {
        counts[four.iter().fold(0, |index, &word| index * 5 + class(word))] += 1;
    }
    let law = (0..625).map(|index| [1, 5, 25, 125].map(|place| classes[index / place % 5]).iter().product());
    chi_square("weight patterns", &counts, &law.collect::<Vec<f64>>())
}

/// The Hamming weights of words `lag` apart are uncorrelated.
fn weight_correlation(words: &[u32], lag: usize) -> Finding {
    let weight = |word: &u32| i64::from(word.count_ones()) - 16;
    let sum: i64 =
        words.iter().zip(&words[lag..]).map(|(first, second)| weight(first) * weight(second)).sum();
    // Each product has mean 0 and variance 8².
    let z = sum as f64 / (8.0 * ((words.len() - lag) as f64).sqrt());
    Finding::new(format!("weights {lag} apart"), normal_upper(z))
}
