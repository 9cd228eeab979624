//! Reads labels that are as they should be, odd, or wrong: each is said in words.
#![allow(clippy::unwrap_used)]

use glauber_cellular_potts::{LabelsError, Movie, TypesOf};
use glauber_lattice::Lattice;

/// Two frames of 8 × 8: cells 10 (a 3 × 3 square) and 2000 (below it), in `frames` of squares at these rows.
fn squares(rows: &[usize]) -> Vec<i64> {
    let mut values = Vec::new();
    for row in rows {
        let mut frame = vec![0; 64];
        for y in 0..3 {
            for x in 0..3 {
                frame[8 * ((row + y) % 8) + 1 + x] = 10;
                frame[8 * ((row + 3 + y) % 8) + 1 + x] = 2000;
            }
        }
        values.extend(frame);
    }
    values
}

fn read(values: &[i64], types: &TypesOf) -> Result<Movie, LabelsError> {
    Movie::read(Lattice::square(8), values, types)
}

fn error(values: &[i64], types: &TypesOf) -> String {
    read(values, types).unwrap_err().to_string()
}

#[test]
fn labels_are_numbered_anew_and_keep_their_names() {
    let movie = read(&squares(&[0, 0]), &TypesOf::Table(vec![(2000, 1), (10, 2)])).unwrap();
    assert_eq!((movie.types(), movie.kinds()), (&[0, 2, 1][..], 2));
    assert_eq!(
        (movie.name(0), movie.name(1), movie.name(2), movie.name(3)),
        (Some(0), Some(10), Some(2000), None)
    );
    assert_eq!(movie.frames()[1].iter().filter(|label| **label == 2).count(), 9);
    assert_eq!(movie.notes(), ["frames 1 are those before them, unchanged"]);
    let ranges = TypesOf::Ranges(vec![(1..=99, 2), (100..=5000, 1)]);
    assert_eq!(read(&squares(&[0, 1]), &ranges).unwrap().types(), [0, 2, 1]);
    let one = read(&squares(&[0, 1]), &TypesOf::One).unwrap();
    assert_eq!((one.types(), one.notes().len()), (&[0, 1, 1][..], 0));
    assert_eq!(one.cells(1).unwrap().volumes(), [46, 9, 9]);
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_place() {
    let mut values = squares(&[0, 1, 2]);
    values[64 + 8 * 5 + 3] = -7;
    assert_eq!(
        error(&values, &TypesOf::One),
        "label -7 in frame 1, row 5, column 3: labels are 0 for the medium and positive for cells"
    );
    let mut values = squares(&[0, 1, 2]);
    values[64..128].fill(0);
    assert!(error(&values, &TypesOf::One).starts_with("frame 1 has no cell at all, only 0"));
    assert_eq!(error(&squares(&[0]), &TypesOf::One), "1 frame of labels: a movie needs two or more");
    assert!(
        error(&squares(&[0, 1])[..100], &TypesOf::One)
            .contains("100 labels are no whole number of frames of 64")
    );
    let lacking = TypesOf::Table(vec![(10, 1)]);
    assert_eq!(
        error(&squares(&[0, 1]), &lacking),
        "the types do not say what label 2000 is, which frame 0 has first: add it to the types"
    );
    assert!(
        error(&squares(&[0, 1]), &TypesOf::Ranges(vec![(3000..=4000, 1)])).contains("(and 1 label more)")
    );
    let twice = TypesOf::Table(vec![(10, 1), (2000, 1), (10, 2)]);
    assert_eq!(error(&squares(&[0, 1]), &twice), "the types give label 10 both type 1 and type 2");
    let medium = TypesOf::Table(vec![(10, 0), (2000, 1)]);
    assert!(error(&squares(&[0, 1]), &medium).contains("cells have types from 1 on"));
    let medium = TypesOf::Ranges(vec![(1..=5000, 0)]);
    assert!(error(&squares(&[0, 1]), &medium).contains("cells have types from 1 on"));
    let overlapping = TypesOf::Ranges(vec![(1..=2000, 1), (2000..=5000, 2)]);
    assert_eq!(error(&squares(&[0, 1]), &overlapping), "the types give label 2000 both type 1 and type 2");
    let medium = TypesOf::Ranges(vec![(0..=5000, 1)]);
    assert!(error(&squares(&[0, 1]), &medium).starts_with("the types give label 0 type 1"));
    let reflecting = Movie::read(Lattice::square(8).reflecting(), &squares(&[0, 1]), &TypesOf::One);
    assert!(reflecting.unwrap_err().to_string().contains("periodic, or fixed at 0"));
}

#[test]
fn what_is_odd_is_said() {
    let mut values = squares(&[0, 1, 2]);
    values[64 + 8 * 6 + 6] = 10;
    let movie = read(&values, &TypesOf::One).unwrap();
    assert_eq!(
        movie.notes(),
        [
            "cell 10 is in two or more pieces (frames 1): volumes and perimeters are those of all pieces together"
        ]
    );
    let movie = read(&squares(&[0, 4]), &TypesOf::One).unwrap();
    assert!(
        movie.notes()[0].starts_with("cells 10, 2000 are in two successive frames without a site in common")
    );
    let mut values = squares(&[0, 1, 1]);
    values.iter_mut().take(64).filter(|label| **label == 10).for_each(|label| *label = 0);
    values.iter_mut().skip(128).filter(|label| **label == 2000).for_each(|label| *label = 0);
    let movie = read(&values, &TypesOf::Table(vec![(10, 1), (2000, 1), (5, 1), (6, 1)])).unwrap();
    let notes = movie.notes().join("\n");
    assert!(notes.contains("the types name label 5 and 1 others, which no frame has"), "{notes}");
    assert!(notes.contains("cell 2000 is not there any more in a later frame"), "{notes}");
    assert!(notes.contains("cell 10 is not there in an earlier frame"), "{notes}");
}

#[test]
fn blocks_take_their_most_frequent_label() {
    let movie = read(&squares(&[0, 1]), &TypesOf::One).unwrap();
    let coarse = movie.coarsened(2).unwrap();
    assert_eq!(coarse.lattice().shape(), [4, 4]);
    // Cell 10 covers rows 0 to 2, columns 1 to 3: half of the block at (0, 0), whose first site is medium, and so on.
    assert_eq!(coarse.frames()[0][..8], [0, 1, 0, 0, 0, 1, 0, 0]);
    assert_eq!(movie.coarsened(1).unwrap().frames(), movie.frames());
    assert!(
        movie.coarsened(3).unwrap_err().to_string().contains("blocks of 3 do not fit axis 0 of length 8")
    );
    let fixed = Movie::read(Lattice::square(8).fixed(0.0), &squares(&[0, 1]), &TypesOf::One).unwrap();
    let coarse = fixed.coarsened(3).unwrap();
    assert_eq!(coarse.lattice().shape(), [2, 2]);
    assert!(coarse.notes().join(" ").contains("the last 2 sites of axis 1 fill no block of 3"));
    assert!(fixed.coarsened(9).unwrap_err().to_string().contains("shorter than a block"));
}

#[test]
fn frames_are_left_out_by_range_and_stride() {
    let movie = read(&squares(&[0, 1, 2, 3, 4]), &TypesOf::One).unwrap();
    assert_eq!(movie.part(1..3).unwrap().frames(), &movie.frames()[1..3]);
    assert_eq!(movie.every(2).unwrap().frames().len(), 3);
    assert_eq!(movie.part(4..9).unwrap_err(), LabelsError::TooFew(1));
    // What is said is of the frames that are left, by their numbers in the whole movie.
    let mut values = squares(&[0, 1, 2, 3, 4]);
    values[64 + 8 * 6 + 7] = 10;
    values[4 * 64 + 8 + 6] = 10;
    let movie = read(&values, &TypesOf::One).unwrap();
    assert!(movie.notes()[0].contains("(frames 1, 4)"), "{:?}", movie.notes());
    let every = movie.every(2).unwrap();
    assert!(every.notes()[0].contains("(frames 4)"), "{:?}", every.notes());
    assert!(movie.part(2..4).unwrap().notes().iter().all(|note| !note.contains("pieces")));
    assert_eq!(movie.every(5).unwrap_err(), LabelsError::TooFew(1));
}
