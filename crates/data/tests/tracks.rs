//! Checks that tracks of every format are read alike, that wrong ones are refused with their line, and that the mean
//! squared displacement of the real cells is the known one.
// Times and positions of the fixtures are small whole numbers, so they are compared exactly.
#![allow(clippy::unwrap_used, clippy::float_cmp, clippy::print_stderr)]

use glauber_data::tracks::{
    Bootstrap, Column, Columns, MsdCurve, SHIPPED_CURVES, TrackFormat, TrackLimits, TrackOptions, Tracks,
    detect_format, mean_squared_displacement, read_msd_curve, read_tracks, shipped_curve,
};
use glauber_data::{DataError, DataErrorKind};
use std::fs;
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tracks").join(name)
}

fn read(name: &str) -> Tracks {
    read_tracks(fixture(name), &TrackOptions::default()).unwrap()
}

fn read_text(text: &str, options: &TrackOptions) -> Result<Tracks, DataError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tracks");
    fs::write(&path, text).unwrap();
    read_tracks(&path, options)
}

/// The message without the path of the temporary file.
fn refused(text: &str) -> String {
    let error = read_text(text, &TrackOptions::default()).unwrap_err().to_string();
    error.split_once("tracks").map(|(_, rest)| rest.trim_start_matches([':', ',', ' ']).to_owned()).unwrap()
}

/// A track as its id, frames and positions.
type Content<'a> = (&'a str, &'a [u32], Vec<[f64; 3]>);

fn content(tracks: &Tracks) -> Vec<Content<'_>> {
    tracks.tracks().iter().map(|t| (t.id(), t.frames(), t.positions().to_vec())).collect()
}

#[test]
fn a_table_of_celltrackr_is_read() {
    for text in [
        "id,t,x,y\n1,48.0,90.5,65.25\n1,72.0,89.5,64.5\n2,48,1,2\n2,72,3,4\n",
        "\u{FEFF}\"\",\"id\",\"t\",\"x\",\"y\"\r\n\"1\",\"1\",48,90.5,65.25\r\n\"2\",1,72,89.5,64.5\r\n\"3\",2,48,1,2\r\n\"4\",2,72,3,4\r\n",
        "id;t;x;y\n1;48;90,5;65,25\n1;72;89,5;64,5\n2;48;1;2\n2;72;3;4\n",
        "\"id\" \"t\" \"x\" \"y\"\n\"1\" 1 48 90.5 65.25\n\"2\" 1 72 89.5 64.5\n\"3\" 2 48 1 2\n\"4\" 2 72 3 4\n",
        "# exported\n\nid\tt\tx\ty\n1\t48\t90.5\t65.25\n1\t72\t89.5\t64.5\n2\t48\t1\t2\n2\t72\t3\t4",
    ] {
        let tracks = read_text(text, &TrackOptions::default()).unwrap();
        assert_eq!(
            content(&tracks),
            [
                ("1", &[0, 1][..], vec![[90.5, 65.25, 0.0], [89.5, 64.5, 0.0]]),
                ("2", &[0, 1][..], vec![[1.0, 2.0, 0.0], [3.0, 4.0, 0.0]]),
            ],
            "{text}"
        );
        assert_eq!((tracks.interval(), tracks.dimensions()), (24.0, 2));
        assert_eq!(tracks.tracks()[0].start(), 48.0);
    }
}

#[test]
fn columns_are_taken_by_name_or_number_and_a_third_axis_is_found() {
    let text = "who,when,east,north,up\nA,0,1,2,3\nA,1,4,5,6\n";
    let named = Columns {
        id: Some(Column::Name("who".into())),
        time: Some(Column::Number(2)),
        x: Some(Column::Name("EAST".into())),
        y: Some(Column::Number(4)),
        z: Some(Column::Name("up".into())),
        group: None,
    };
    let tracks = read_text(text, &TrackOptions { columns: named, ..TrackOptions::default() }).unwrap();
    assert_eq!(content(&tracks), [("A", &[0, 1][..], vec![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])]);
    assert_eq!(tracks.dimensions(), 3);

    let tracks = read_text("id,t,x,y,z\n1,0,0,0,5\n1,1,1,0,5\n", &TrackOptions::default()).unwrap();
    assert_eq!(tracks.dimensions(), 2);
    assert!(tracks.notes()[0].contains("read as 2-D"), "{:?}", tracks.notes());
}

#[test]
fn trackmates_spot_table_is_read_with_its_header_lines_and_units() {
    let tracks = read("trackmate_spots.csv");
    assert_eq!(
        content(&tracks),
        [
            (
                "0",
                &[0, 1, 2, 4][..],
                vec![[10.0, 20.0, 0.0], [11.0, 20.0, 0.0], [12.0, 21.0, 0.0], [15.0, 21.0, 0.0]]
            ),
            ("1", &[0, 1][..], vec![[50.0, 60.0, 0.0], [50.0, 64.0, 0.0]]),
        ]
    );
    assert_eq!((tracks.interval(), tracks.dimensions()), (24.0, 2));
    assert_eq!(tracks.units().length.as_deref(), Some("micron"));
    assert_eq!(tracks.units().time.as_deref(), Some("sec"));
    let notes = tracks.notes().join("\n");
    for word in
        ["1 points belong to no track", "1 tracks of one position", "have gaps, 1 frames", "sorted", "2-D"]
    {
        assert!(notes.contains(word), "{word}: {notes}");
    }
}

#[test]
fn trackmates_model_is_cut_at_divisions() {
    let tracks = read("trackmate_model.xml");
    assert_eq!(
        content(&tracks),
        [
            ("Track_0/1", &[0, 1][..], vec![[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]),
            ("Track_0/2", &[0, 1][..], vec![[1.0, 2.0, 0.0], [1.0, 3.0, 0.0]]),
            ("Track_0/3", &[0, 1][..], vec![[3.0, 0.0, 0.0], [4.0, 0.0, 0.0]]),
            ("Track_1", &[0, 2][..], vec![[50.0, 0.0, 0.0], [50.0, 5.0, 0.0]]),
        ]
    );
    assert_eq!((tracks.interval(), tracks.dimensions()), (24.0, 2));
    assert_eq!(tracks.units().length.as_deref(), Some("µm"));
    assert_eq!(tracks.tracks()[1].start(), 48.0);
    let notes = tracks.notes().join("\n");
    for word in [
        "1 divisions and 0 merges were cut into 3 segments",
        "1 tracks that TrackMate's filters hide",
        "3 spots belong to no track",
    ] {
        assert!(notes.contains(word), "{word}: {notes}");
    }
    // Two steps of length 1 squared at lag 1, and the gap of two frames counts at lag 2 only.
    let curve = mean_squared_displacement(&tracks, 2, Bootstrap::default()).unwrap();
    let values: Vec<_> = curve.points().iter().map(|p| (p.value, p.sub_tracks)).collect();
    assert_eq!(values, [(1.0, Some(3)), (25.0, Some(1))]);
}

#[test]
fn trackmates_simple_tracks_are_read() {
    let tracks = read("trackmate_simple.xml");
    assert_eq!(
        content(&tracks),
        [
            ("0", &[0, 1, 3][..], vec![[0.0, 0.0, 1.0], [1.0, 0.0, 1.0], [1.0, 2.0, 3.0]]),
            ("1", &[0, 1][..], vec![[5.0, 5.0, 0.0], [5.0, 7.0, 0.0]]),
        ]
    );
    assert_eq!((tracks.interval(), tracks.dimensions()), (24.0, 3));
    assert_eq!(
        (tracks.units().length.as_deref(), tracks.units().time.as_deref()),
        (Some("micron"), Some("sec"))
    );
    assert_eq!(tracks.tracks()[1].start(), 120.0);
}

#[test]
fn naparis_arrays_are_read() {
    let tracks = read("napari_2d.npy");
    assert!(tracks.notes()[0].contains("taken for ID, T, Y, X"), "{:?}", tracks.notes());
    assert_eq!(
        content(&tracks),
        [
            ("0", &[0, 1, 2][..], vec![[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [1.0, 2.0, 0.0]]),
            ("7", &[0, 2][..], vec![[5.0, 5.0, 0.0], [5.0, 7.0, 0.0]]),
        ]
    );
    assert_eq!((tracks.interval(), tracks.units().time.as_deref()), (1.0, Some("frame")));
    let options =
        TrackOptions { interval: Some(24.0), time_unit: Some("s".into()), ..TrackOptions::default() };
    let tracks = read_tracks(fixture("napari_2d.npy"), &options).unwrap();
    assert_eq!((tracks.interval(), tracks.units().time.as_deref()), (24.0, Some("s")));

    let tracks = read("napari_3d.npy");
    assert!(tracks.notes()[0].contains("taken for ID, T, Z, Y, X"), "{:?}", tracks.notes());
    assert_eq!(
        content(&tracks),
        [("0", &[0, 1, 2][..], vec![[0.0, 0.0, 9.0], [1.0, 0.0, 8.0], [1.0, 2.0, 8.0]])]
    );
    let error = |name: &str| read_tracks(fixture(name), &TrackOptions::default()).unwrap_err().to_string();
    assert!(
        error("napari_nan.npy").contains("row 1, column Y: NaN is not a number"),
        "{}",
        error("napari_nan.npy")
    );
    assert!(error("wrong_shape.npy").contains("shape [3, 6]"));
}

#[test]
fn formats_are_found_by_content_and_can_be_set() {
    for (name, format) in [
        ("trackmate_spots.csv", "csv"),
        ("trackmate_model.xml", "trackmate"),
        ("trackmate_simple.xml", "trackmate"),
        ("napari_2d.npy", "napari"),
    ] {
        assert_eq!(detect_format(fixture(name)).unwrap(), format.parse().unwrap(), "{name}");
    }
    let forced = TrackOptions { format: Some("napari".parse().unwrap()), ..TrackOptions::default() };
    assert!(read_tracks(fixture("trackmate_spots.csv"), &forced).unwrap_err().found().contains("not an NPY"));
    assert!("xlsx".parse::<TrackFormat>().unwrap_err().contains("there are csv, trackmate, napari"));
}

#[test]
fn wrong_tables_are_refused_with_line_and_column() {
    for (text, expected) in [
        ("", "is empty; "),
        ("  \n\n", "holds nothing but spaces; "),
        ("hello\n", "has one column only in line 1, `hello`; "),
        (
            "hello world\n",
            "has no column for the track's id; the columns are `hello`, `world`; or name it by `data.columns.id`",
        ),
        ("id,t,x\n1,2,3\n", "has no column for the y position; the columns are `id`, `t`, `x`"),
        (
            "1,2,3,4\n1,3,4,5\n",
            "has no header that names a column for the track, the time, x and y: line 1 holds numbers, column 1: `1`, \
             column 2: `2`, column 3: `3`, column 4: `4`; say which column is which",
        ),
        ("id,t,x,y\n1,0,0,0\n1,24,abc,0\n", "line 3, column `x`: `abc` is not a number; "),
        (
            "id,t,x,y\n1,0,0,0\n1,24,NaN,0\n",
            "line 3, column `x`: NaN is not a finite number; remove the line",
        ),
        ("id,t,x,y\n1,0,0,inf\n1,24,0,0\n", "line 2, column `y`: inf is not a finite number; "),
        ("id,t,x,y\n1,0,0,0\n1,,0,0\n", "line 3, column `t`: is empty; "),
        ("id,t,x,y\n1,0,0,0\n1,24,0\n", "line 3: has 3 fields, but the header in line 1 has 4; "),
        (
            "id,t,x,y\n1,0,0,0\n\n# note\n1,0,1,1\n",
            "line 5: track `1` has two positions at time 0 (line 2 and 5); ",
        ),
        ("id,t,x,y\n", "holds no tracks; "),
        ("id,t,x,y\n1,0,0,0\n2,0,0,0\n", "holds no track of two positions (2 of one); "),
        (
            "id,t,x,y\n1,0,0,0\n1,24,0,0\n2,0,0,0\n2,36,0,0\n",
            "line 5: the intervals are mixed: 24 in track `1` (line 3) but 36 in track `2` (line 5); \
          if frames are 12 apart, with gaps, give `interval = 12` under [data]; else split the file",
        ),
        (
            "id,frame,x,y\n1,0,0,0\n1,1.5,0,0\n",
            "line 3: the step in frames of 1.5 in track `1` (line 3) is not a whole number; ",
        ),
        ("id,t,x,y\n1,0,0,0\n1,1e-12,0,0\n1,1e12,0,0\n", "track `1` spans more than 2147483647 intervals; "),
    ] {
        let error = refused(text);
        assert!(error.starts_with(expected), "{text}: {error}");
    }
}

#[test]
fn half_of_the_tracks_filmed_slower_is_said() {
    let mut text = String::from("id,t,x,y\n");
    for i in 0..5 {
        text += &format!("fast,{},{i},0\nslow,{},{i},0\n", 24 * i, 48 * i);
    }
    let tracks = read_text(&text, &TrackOptions::default()).unwrap();
    assert_eq!(tracks.interval(), 24.0);
    assert!(
        tracks.notes().iter().any(|n| n.contains("1 tracks have a longer interval throughout")),
        "{:?}",
        tracks.notes()
    );
}

#[test]
fn an_interval_that_is_given_is_kept_to() {
    let text = "id,t,x,y\n1,0,0,0\n1,24,1,0\n2,0,0,0\n2,36,0,0\n";
    let options = |interval| TrackOptions { interval: Some(interval), ..TrackOptions::default() };
    let tracks = read_text(text, &options(12.0)).unwrap();
    assert_eq!((tracks.interval(), tracks.tracks()[1].frames()), (12.0, &[0, 3][..]));
    assert!(read_text(text, &options(10.0)).unwrap_err().found().contains("no multiple of the interval 10"));
    for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(read_text(text, &options(wrong)).is_err());
    }
    let frames = read_text("id,frame,x,y\n1,3,0,0\n1,4,1,0\n", &options(24.0)).unwrap();
    assert_eq!((frames.interval(), frames.tracks()[0].start()), (24.0, 72.0));
}

#[test]
fn hostile_xml_is_refused() {
    let simple = |head: &str, body: &str| {
        format!("<?xml version=\"1.0\"?>{head}<Tracks frameInterval=\"1\">{body}</Tracks>")
    };
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]>";
    let external = "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>";
    for head in [bomb, external, "<!DOCTYPE x SYSTEM \"http://example.org/x.dtd\">"] {
        let error = read_text(&simple(head, ""), &TrackOptions::default()).unwrap_err();
        assert_eq!(error.kind(), DataErrorKind::Unsupported, "{error}");
        assert!(error.found().contains("DOCTYPE"), "{error}");
    }
    for (body, word) in [
        ("<particle><detection t=\"&e;\" x=\"0\" y=\"0\"/></particle>", "attribute t cannot be read"),
        (
            "<particle><detection t=\"0\" x=\"abc\" y=\"0\"/></particle>",
            "attribute x of <detection> is `abc`",
        ),
        ("<particle><detection t=\"0\" x=\"NaN\" y=\"0\"/></particle>", "<detection> has no finite x"),
        ("<particle><detection t=\"0\" y=\"0\"/></particle>", "<detection> has no finite x"),
        ("<detection t=\"0\" x=\"0\" y=\"0\"/>", "outside of any particle"),
        ("<particle>", "not well-formed"),
        ("", "holds no tracks"),
    ] {
        let error = read_text(&simple("", body), &TrackOptions::default()).unwrap_err();
        assert!(error.found().contains(word), "{error}");
    }
    assert!(refused("<html><body/></html>").contains("is XML of `html`"));
    assert!(refused("<!-- nothing -->").contains("no XML element"));
    assert!(refused("<Tracks><particle>").contains("ends with 2 elements open"));
}

#[test]
fn models_that_contradict_themselves_are_refused() {
    let spot = |id: u32, frame: u32| {
        format!("<Spot ID=\"{id}\" FRAME=\"{frame}\" POSITION_X=\"0\" POSITION_Y=\"0\"/>")
    };
    let model = |spots: &str, links: &[(u32, u32)]| {
        let links: String = links
            .iter()
            .map(|(a, b)| format!("<Edge SPOT_SOURCE_ID=\"{a}\" SPOT_TARGET_ID=\"{b}\"/>"))
            .collect();
        format!(
            "<TrackMate><Model><AllSpots>{spots}</AllSpots><AllTracks><Track name=\"A\" TRACK_ID=\"0\">{links}</Track></AllTracks></Model></TrackMate>"
        )
    };
    let two = spot(1, 0) + &spot(2, 1);
    let tracks = read_text(&model(&two, &[(1, 2)]), &TrackOptions::default()).unwrap();
    assert_eq!((tracks.len(), tracks.interval(), tracks.units().time.as_deref()), (1, 1.0, Some("frame")));
    assert!(refused(&model(&two, &[(1, 3)])).contains("links spot 3, which is not among the spots"));
    assert!(refused(&model(&(spot(1, 0) + &spot(2, 0)), &[(1, 2)])).contains("of one frame"));
    assert!(refused(&model(&(spot(1, 0) + &spot(1, 1)), &[(1, 1)])).contains("two spots of ID 1"));
    assert!(refused(&model(&two, &[])).contains("holds no tracks"));
    assert!(
        refused("<TrackMate><Edge SPOT_SOURCE_ID=\"1\" SPOT_TARGET_ID=\"2\"/></TrackMate>")
            .contains("outside of any track")
    );
}

#[test]
fn limits_are_kept() {
    let limits =
        |bytes, points| TrackOptions { limits: TrackLimits { bytes, points }, ..TrackOptions::default() };
    for name in ["trackmate_spots.csv", "trackmate_model.xml", "trackmate_simple.xml", "napari_2d.npy"] {
        let length = fixture(name).metadata().unwrap().len();
        for options in [limits(length - 1, 100), limits(length, 2)] {
            let error = read_tracks(fixture(name), &options).unwrap_err();
            assert_eq!(error.kind(), DataErrorKind::TooLarge, "{name}: {error}");
        }
        assert!(read_tracks(fixture(name), &limits(length, 100)).is_ok());
    }
}

/// The folder of the real data, if it is there.
fn real_tracks() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = match std::env::var_os("GLAUBER_DATA") {
        Some(folder) => PathBuf::from(folder),
        None => root.join("../shared/data"),
    }
    .join("tracks");
    folder.is_dir().then_some(folder)
}

/// Every shipped curve, recomputed from the tracks of the real cells: to all printed digits.
#[test]
fn the_shipped_curves_are_those_of_the_real_cells() {
    let Some(folder) = real_tracks() else {
        eprintln!("SKIPPED: no track files; set GLAUBER_DATA to a folder that holds tracks/t_cells.csv");
        return;
    };
    for (shipped, count) in SHIPPED_CURVES.iter().zip([199, 74, 411]) {
        let path = folder.join(format!("{}.csv", shipped.name.replace('-', "_")));
        let tracks = read_tracks(&path, &TrackOptions::default()).unwrap();
        assert_eq!((tracks.len(), tracks.interval(), tracks.dimensions()), (count, 24.0, 2));
        assert!(tracks.notes().is_empty(), "{:?}", tracks.notes());
        let computed =
            mean_squared_displacement(&tracks, 10, Bootstrap { replicates: 10_000, seed: 0 }).unwrap();
        for (a, b) in computed.points().iter().zip(shipped_curve(shipped.name).unwrap().points()) {
            assert_eq!(
                format!("{:.3}", a.value),
                format!("{:.3}", b.value),
                "{} lag {}",
                shipped.name,
                a.lag
            );
            assert_eq!(a.sub_tracks, b.sub_tracks);
            let digits = |e: Option<f64>| format!("{:.3}", e.unwrap());
            assert_eq!(digits(a.standard_error), digits(b.standard_error));
        }
    }
}

#[test]
fn a_saved_curve_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("msd.csv");
    let curve = mean_squared_displacement(&read("napari_2d.npy"), 2, Bootstrap::default()).unwrap();
    fs::write(&path, curve.to_csv()).unwrap();
    assert_eq!(read_msd_curve(&path).unwrap(), curve);
    assert_eq!(read_msd_curve(folder.path().join("no.csv")).unwrap_err().kind(), DataErrorKind::Missing);
}

#[test]
fn points_of_no_track_are_left_out_and_said() {
    for none in ["-1", "-1.0", "\u{2212}1", "NA", "None", ""] {
        let text = format!("id,t,x,y\n{none},0,5,5\n0,0,1,1\n0,1,2,2\n{none},0,6,6\n{none},1,7,7\n");
        let tracks = read_text(&text, &TrackOptions::default()).unwrap();
        assert_eq!((tracks.len(), tracks.tracks()[0].id()), (1, "0"), "{none}");
        assert!(tracks.notes()[0].contains("3 points"), "{none}: {:?}", tracks.notes());
    }
    // Where other ids are negative, -1 is one of them.
    let tracks =
        read_text("id,t,x,y\n-1,0,1,1\n-1,1,2,2\n-2,0,1,1\n-2,1,2,2\n", &TrackOptions::default()).unwrap();
    assert_eq!(tracks.len(), 2);
    let error = refused("id,t,x,y\n-1,0,1,1\n-1,1,2,2\n");
    assert!(error.contains("holds no tracks") && error.contains("2 points of track -1"), "{error}");
}

/// What was guessed is often why it fails later.
#[test]
fn what_was_guessed_stands_with_the_error() {
    let simple = "<Tracks><particle><detection t=\"0.5\" x=\"0\" y=\"0\"/><detection t=\"1.5\" x=\"0\" y=\"0\"/>\
                  <detection t=\"4\" x=\"0\" y=\"0\"/></particle></Tracks>";
    let spots = "<Spot ID=\"1\" FRAME=\"0\" POSITION_X=\"0\" POSITION_Y=\"0\"/>";
    let hidden = format!(
        "<TrackMate><Model><AllSpots>{spots}</AllSpots><AllTracks><Track TRACK_ID=\"1\" name=\"a\"></Track><Track TRACK_ID=\"2\" \
         name=\"b\"><Edge SPOT_SOURCE_ID=\"1\" SPOT_TARGET_ID=\"9\"/></Track></AllTracks><FilteredTracks><TrackID \
         TRACK_ID=\"2\"/></FilteredTracks></Model></TrackMate>"
    );
    for (text, error, notes) in [
        // When the tracks are put together,
        (
            "Exported today\nid,t,x,y\n1,0,0,0\n1,24,0,0\n1,60,0,0\n",
            "intervals are mixed",
            &["`Exported today`"][..],
        ),
        ("id;t;x;y\n1;0;0,5;0\n1;0;1,5;0\n", "two positions", &["decimal comma"]),
        ("id,t,x,y\n-1,0,0,0\n1,0,0,0\n2,0,1,1\n", "no track of two positions", &["points of track -1"]),
        ("id,t,x,y\n,0,0,0\n1,0,0,0\n", "no track of two positions", &["belong to no track"]),
        // while rows are read,
        (
            "Exported today\nid;t;x;y\n1;0;0,5;0\n1;1;far;0\n",
            "`far` is not a number",
            &["Exported", "decimal comma"],
        ),
        ("# id,t,x,y\n1,0,0,0\n1,24,0\n", "has 3 fields", &["names of the comment"]),
        // where it is not clear how numbers are meant,
        (
            "Exported today\nid;t;x;y\n1;0;1,234;0\n1;1;1,334;0\n",
            "may be 1.234 or 1234",
            &["`Exported today`"],
        ),
        // and in XML.
        (simple, "intervals are mixed", &["taken for time"]),
        (&hidden, "links spot 9", &["filters hide"]),
    ] {
        let found = read_text(text, &TrackOptions::default()).unwrap_err();
        let whole = found.to_string();
        let (said, alone) = found.apart();
        assert!(alone.found().contains(error), "{text}: {alone}");
        for note in notes {
            assert!(said.iter().any(|own| own.contains(note)), "{text}: no «{note}» in {said:?}");
            assert!(whole.contains("before that") && whole.contains(note), "{whole}");
        }
        assert!(!alone.to_string().contains("before that"), "{alone}");
    }
}

/// Where every comma has three digits behind it, both remedies are said.
#[test]
fn groups_of_three_digits_are_asked_about() {
    let error = refused("id;t;x;y\n1;0;1,234;2,500\n1;1;1,334;2,600\n");
    let words = "may be 1.234 or 1234: every comma has three digits behind it; write a point for each of these commas if they mark \
                 decimals, and nothing if they are separators of thousands";
    assert!(error.contains(words), "{error}");
    let decimals =
        read_text("id;t;x;y\n1;0;1.234;2.500\n1;1;1.334;2.600\n", &TrackOptions::default()).unwrap();
    let thousands = read_text("id;t;x;y\n1;0;1234;2500\n1;1;1334;2600\n", &TrackOptions::default()).unwrap();
    assert_eq!(
        (decimals.tracks()[0].positions()[0][0], thousands.tracks()[0].positions()[0][0]),
        (1.234, 1234.0)
    );
}

#[test]
fn names_of_frames_do_not_tell_tracks_apart() {
    let text = "id,t,x,y,image\n1,0,0,0,a0.tif\n1,1,1,0,a1.tif\n2,0,0,0,a0.tif\n2,1,2,0,a1.tif\n";
    let tracks = read_text(text, &TrackOptions::default()).unwrap();
    assert_eq!((tracks.len(), tracks.notes().len()), (2, 0), "{:?}", tracks.notes());
}

#[test]
fn columns_of_one_name_are_refused_and_numbers_settle_it() {
    for text in ["id,t,x,y,X\n1,0,1,2,3\n1,1,4,5,6\n", "id,t,x,x,y\n1,0,1,3,2\n1,1,4,6,5\n"] {
        let error = refused(text);
        assert!(error.contains("two columns called `x`") && error.contains("x = 3"), "{error}");
        let columns = Columns { x: Some(Column::Number(3)), ..Columns::default() };
        let tracks = read_text(text, &TrackOptions { columns, ..TrackOptions::default() }).unwrap();
        assert_eq!(tracks.tracks()[0].positions()[1], [4.0, 5.0, 0.0]);
    }
}

#[test]
fn fortran_writes_exponents_with_a_d() {
    for text in [
        "id t x y\n1 0.0D+00 1.5D+02 -2.D-1\n1 1.0d0 1.25D2 .5D0\n",
        "id;t;x;y\n1;0;1,5D+02;-2,D-1\n1;1;1,25D2;,5D0\n",
    ] {
        let tracks = read_text(text, &TrackOptions::default()).unwrap();
        assert_eq!(tracks.tracks()[0].positions(), [[150.0, -0.2, 0.0], [125.0, 0.5, 0.0]]);
    }
    assert!(refused("id,t,x,y\n1,0,1D,2\n1,1,2,3\n").contains("`1D` is not a number"));
}

#[test]
fn a_table_without_header_asks_for_what_it_has() {
    let error = refused("0 1 2.5 3.5\n1 1 2.75 3\n");
    assert!(error.contains("id = N, time = N, x = N, y = N }") && error.contains("1 to 4"), "{error}");
    let error = refused("0 1 2 2.5 3.5 7\n1 1 2 2.75 3 8\n");
    assert!(error.contains("z = N }") && error.contains("1 to 6"), "{error}");
    assert!(refused("0 1.5 2.5\n1 1.5 2.75\n").contains("at least four columns"));
}

#[test]
fn numbers_in_messages_are_as_they_would_be_written() {
    let mut text = "id,t,x,y\n".to_owned();
    for frame in 0..5 {
        text += &format!("1,{},0,{frame}\n", 0.1 * f64::from(297 * frame));
    }
    let tracks = read_text(&text, &TrackOptions::default()).unwrap();
    assert!(tracks.summary().to_string().contains("29.7 "), "{}", tracks.summary());
    let error = refused(&format!("{text}1,{},0,0\n", 0.1 * 297.0 * 5.618));
    assert!(!error.contains("0000000") && error.contains("29.7 in track"), "{error}");
}

/// Curve and bootstrap errors are functions of what was seen, not of the order in which a table writes it down.
#[test]
fn the_order_of_a_table_s_rows_changes_no_bit() {
    let mut rows: Vec<String> = Vec::new();
    for track in 0..7u32 {
        for time in 0..5 + track % 3 {
            let x = f64::from(time * (track + 1) % 7) * 0.37 + f64::from(track);
            rows.push(format!("{track},{time},{x},{}", x * 0.61 + f64::from(time)));
        }
    }
    let curve = |rows: &[String]| {
        let text = format!("id,t,x,y\n{}\n", rows.join("\n"));
        let tracks = read_text(&text, &TrackOptions::default()).unwrap();
        let curve = mean_squared_displacement(&tracks, 3, Bootstrap { replicates: 50, seed: 3 }).unwrap();
        curve
            .points()
            .iter()
            .map(|p| (p.value.to_bits(), p.standard_error.map(f64::to_bits)))
            .collect::<Vec<_>>()
    };
    let own = curve(&rows);
    assert!(own.iter().all(|(_, error)| error.is_some()));
    let reversed: Vec<String> = rows.iter().rev().cloned().collect();
    assert_eq!(curve(&reversed), own);
    rows.sort_by_key(|row| {
        row.bytes().map(u64::from).fold(7u64, |sum, b| sum.wrapping_mul(6_364_136_223).wrapping_add(b))
    });
    assert_eq!(curve(&rows), own);
}

fn with_units(text: &str, length: Option<&str>, time: Option<&str>) -> Result<Tracks, DataError> {
    let owned = |unit: Option<&str>| unit.map(str::to_owned);
    let options =
        TrackOptions { length_unit: owned(length), time_unit: owned(time), ..TrackOptions::default() };
    read_text(text, &options)
}

#[test]
fn a_unit_other_than_the_files_is_refused() {
    let table = "id,t [ms],x [nm],y [nm]\n1,0,0,0\n1,10,3,4\n";
    for (length, time, words) in
        [(Some("um"), None, ["`nm`", "`um`", "length-unit"]), (None, Some("s"), ["`ms`", "`s`", "time-unit"])]
    {
        let error = with_units(table, length, time).unwrap_err().to_string();
        assert!(words.iter().all(|word| error.contains(word)), "{error}");
    }
    let tracks = with_units(table, Some("NM"), Some("milliseconds")).unwrap();
    assert_eq!(tracks.units().length.as_deref(), Some("NM"));
    let none = with_units("id,t,x,y\n1,0,0,0\n1,10,3,4\n", Some("um"), Some("s")).unwrap();
    assert_eq!((none.units().length.as_deref(), none.units().time.as_deref()), (Some("um"), Some("s")));
    // TrackMate's units are the file's, too.
    let options = TrackOptions { length_unit: Some("inch".into()), ..TrackOptions::default() };
    for name in ["trackmate_spots.csv", "trackmate_model.xml"] {
        let error = read_tracks(fixture(name), &options).unwrap_err().to_string();
        assert!(error.contains("`inch`"), "{error}");
    }
}

#[test]
fn frames_are_not_labelled_as_hours() {
    let table = "id,frame,x,y\n1,0,0,0\n1,1,3,4\n";
    let error = with_units(table, None, Some("h")).unwrap_err().to_string();
    assert!(error.contains("counts frames, not `h`") && error.contains("interval"), "{error}");
    assert_eq!(with_units(table, None, Some("frames")).unwrap().interval(), 1.0);
    let options =
        TrackOptions { interval: Some(0.5), time_unit: Some("h".into()), ..TrackOptions::default() };
    assert_eq!(read_text(table, &options).unwrap().units().time.as_deref(), Some("h"));
}

#[test]
fn columns_like_a_third_axis_are_noted() {
    for name in ["z_slice", "depth", "Z-plane", "zpos", "Depth (um)", "plane z", "Slice"] {
        let table = format!("id,t,x,y,{name}\n1,0,0,0,5\n1,10,3,4,6\n");
        let tracks = read_text(&table, &TrackOptions::default()).unwrap();
        assert!(
            tracks.notes().iter().any(|n| n.contains("not read") && n.contains(name)),
            "{name}: {:?}",
            tracks.notes()
        );
    }
    let tracks = read_text("id,t,x,y,size\n1,0,0,0,5\n1,10,3,4,6\n", &TrackOptions::default()).unwrap();
    assert!(!tracks.notes().iter().any(|n| n.contains("not read")), "{:?}", tracks.notes());
}

#[test]
fn many_tracks_at_one_point_are_noted() {
    let table = |lost: f64| {
        let mut text = "id,frame,x,y\n".to_owned();
        for id in 1..=4 {
            text += &format!("{id},0,{id},2\n{id},1,{id},3\n{id},2,{},-1\n", lost * f64::from(id) - 1.0);
        }
        text
    };
    let tracks = read_text(&table(0.0), &TrackOptions::default()).unwrap();
    let note = &tracks.notes()[0];
    assert!(note.starts_with("4 tracks are at the same point (-1, -1) at frame 2"), "{note}");
    let tracks = read_text(&table(1.0), &TrackOptions::default()).unwrap();
    assert!(!tracks.notes().iter().any(|n| n.contains("same point")), "{:?}", tracks.notes());
    // Tracks that were moved to one start are no lost cells.
    let starts = "id,frame,x,y\n1,0,0,0\n1,1,1,2\n2,0,0,0\n2,1,3,4\n3,0,0,0\n3,1,4,4\n";
    let tracks = read_text(starts, &TrackOptions::default()).unwrap();
    assert!(!tracks.notes().iter().any(|n| n.contains("same point")), "{:?}", tracks.notes());
}

#[test]
fn lags_that_are_times_are_refused() {
    let read = |text: &str| MsdCurve::from_csv(text, "msd.csv").map_err(|e| e.to_string());
    let error = read("# interval: 24 s\nlag,msd\n24,1\n48,2\n72,3\n").unwrap_err();
    assert!(error.contains("24, 48, 72") && error.contains("lags count intervals"), "{error}");
    assert!(error.contains("divide them by the interval"), "{error}");
    let counted = read("# interval: 24 s\n# lags: intervals\nlag,msd\n24,1\n48,2\n72,3\n").unwrap();
    assert_eq!((counted.points()[0].lag, counted.interval()), (24, 24.0));
    assert_eq!(read(&counted.to_csv()).unwrap().points(), counted.points());
    let curve = read("# interval: 24 s\nlag,msd\n1,1\n2,2\n24,3\n").unwrap();
    assert_eq!((curve.points().len(), curve.notes().len()), (3, 0));
    let later = read("# interval: 24 s\nlag,msd\n2,1\n3,2\n").unwrap();
    assert!(later.notes()[0].contains("the first, 2, is 48 s"), "{:?}", later.notes());
    assert!(read("lag,msd\n24,1\n48,2\n").unwrap().with_interval(24.0).lags_like_times().is_some());
}

/// Standard errors have several names; what is not read is said.
#[test]
fn columns_of_a_curve_are_read_or_named() {
    let read = |text: &str| glauber_data::tracks::MsdCurve::from_csv(text, "msd.csv").unwrap();
    for name in ["se", "sem", "stderr", "Standard Error"] {
        let curve = read(&format!("lag,msd,{name}\n1,2,0.5\n2,4,0.7\n"));
        assert_eq!(curve.points()[1].standard_error, Some(0.7), "{name}");
        assert!(curve.notes().is_empty(), "{name}: {:?}", curve.notes());
    }
    let curve = read("lag,msd,sd\n1,2,0.5\n2,4,0.7\n");
    assert_eq!(curve.points()[1].standard_error, None);
    assert!(curve.notes()[0].contains("not read: `sd`") && curve.notes()[0].contains("`standard_error`"));
    let curve = read("lag,time,msd,se\n1,24,2,0.5\n2,48,4,0.7\n");
    assert_eq!(curve.notes(), ["columns that were not read: `time`"]);
}

#[test]
fn the_interval_of_a_curve_may_have_an_equals_sign() {
    let read = |text: &str| MsdCurve::from_csv(text, "msd.csv").map_err(|e| e.to_string());
    let curve = read("# interval = 60 s\n# length_unit = µm\nlag,msd\n1,1\n2,2\n").unwrap();
    assert_eq!((curve.known_interval(), curve.units().time.as_deref()), (Some(60.0), Some("s")));
    assert_eq!(curve.units().length.as_deref(), Some("µm"));
    assert!(curve.comments().is_empty());
    assert!(read("# interval = soon\nlag,msd\n1,1\n").unwrap_err().contains("`soon`"));
}

#[test]
fn clock_times_ask_for_numbers() {
    for text in ["id,time,x,y\n1,00:00:30,0,0\n1,00:01:00,3,4\n", "id,t,x,y\n1,0,0,0\n1,0:00:30,3,4\n"] {
        let error = read_text(text, &TrackOptions::default()).unwrap_err().to_string();
        assert!(error.contains("00:30` is a clock time") && error.contains("(30)"), "{error}");
    }
}

#[test]
fn positions_that_stand_for_no_data_are_refused_or_noted() {
    let table = |lost: &str| format!("id,t,x,y\n1,0,0,0\n1,1,3,4\n1,2,5,4\n2,0,{lost},1\n2,1,9,2\n2,2,8,2\n");
    for lost in ["-9999", "-999", "-999.25", "65535", "1e20", "-3.4e38", "-3.40282e38", "-32768"] {
        let error = read_text(&table(lost), &TrackOptions::default()).unwrap_err().to_string();
        assert!(error.contains("line 5") && error.contains("often stands for no data"), "{lost}: {error}");
    }
    // A whole track of them, and in memory.
    let all = "id,t,x,y\n1,0,0,0\n1,1,3,4\n2,0,-9999,1\n2,1,-9999,2\n";
    let error = read_text(all, &TrackOptions::default()).unwrap_err().to_string();
    assert!(error.contains("-9999 at 2 positions"), "{error}");
    // Of which the square is no number.
    for lost in ["1e160", "-1e308"] {
        let error = read_text(&table(lost), &TrackOptions::default()).unwrap_err().to_string();
        assert!(error.contains("line 5") && error.contains("no place"), "{lost}: {error}");
    }
    // Among numbers like it, it may be one.
    let wide = "id,t,x,y\n1,0,-20000,0\n1,1,-9999,4\n1,2,20000,4\n";
    let tracks = read_text(wide, &TrackOptions::default()).unwrap();
    assert!(tracks.notes()[0].contains("x is -9999"), "{:?}", tracks.notes());
    assert!(read_text(&table("30"), &TrackOptions::default()).is_ok());
}

#[test]
fn units_are_one_unit_and_an_interval_is_that_of_the_file() {
    let with = |interval: Option<f64>, length: Option<&str>, time: Option<&str>| TrackOptions {
        interval,
        length_unit: length.map(str::to_owned),
        time_unit: time.map(str::to_owned),
        ..TrackOptions::default()
    };
    let simple = |attributes: &str| {
        format!(
            "<Tracks {attributes}><particle nSpots=\"2\"><detection t=\"0\" x=\"0\" y=\"0\" z=\"0\"/>\
             <detection t=\"1\" x=\"3\" y=\"4\" z=\"0\"/></particle></Tracks>"
        )
    };
    let known = simple("spaceUnits=\"um\" frameInterval=\"30.0\" timeUnits=\"sec\"");
    let error = read_text(&known, &with(Some(24.0), None, None)).unwrap_err().to_string();
    assert!(error.contains("a frame takes 30 sec") && error.contains("24"), "{error}");
    assert!((read_text(&known, &with(Some(30.0), None, None)).unwrap().interval() - 30.0).abs() < 1e-9);
    let unknown = simple("spaceUnits=\"um\" frameInterval=\"NaN\" timeUnits=\"sec\"");
    let error = read_text(&unknown, &TrackOptions::default()).unwrap_err().to_string();
    assert!(error.contains("no time of a frame is known") && error.contains("interval"), "{error}");
    assert!(read_text(&unknown, &with(Some(30.0), None, None)).is_ok());
    let frames = simple("spaceUnits=\"pixel\" frameInterval=\"1.0\" timeUnits=\"frame\"");
    let tracks = read_text(&frames, &with(Some(30.0), None, None)).unwrap();
    assert_eq!((tracks.interval(), tracks.units().time.as_deref()), (30.0, None));
    // A spot table of TrackMate read by its frames, whose line of units has none for them.
    let spots = "TRACK_ID,POSITION_X,POSITION_Y,POSITION_T,FRAME\nTrack,X,Y,T,Frame\n,(micron),(micron),(sec),\n\
                 1,0,0,0,0\n1,3,4,30,1\n";
    let by_frame = Columns { time: Some("FRAME".parse().unwrap()), ..Columns::default() };
    let tracks =
        read_text(spots, &TrackOptions { columns: by_frame.clone(), ..with(Some(30.0), None, None) })
            .unwrap();
    assert_eq!(tracks.units().length.as_deref(), Some("micron"));
    assert!(!tracks.notes().iter().any(|note| note.contains("belong to no track")), "{:?}", tracks.notes());
    let nm = TrackOptions { columns: by_frame, ..with(Some(30.0), Some("nm"), None) };
    assert!(read_text(spots, &nm).unwrap_err().to_string().contains("`micron`"));
    for two in [
        "TRACK_ID,POSITION_X,POSITION_Y,POSITION_T\n,(micron),(pixel),(sec)\n1,0,0,0\n1,3,4,30\n",
        "Position X,Position Y,Unit,Time,TrackID\n0,0,um,1,1\n3,4,nm,2,1\n",
    ] {
        let error = read_text(two, &TrackOptions::default()).unwrap_err().to_string();
        assert!(error.contains("cannot be added up") && error.contains("line"), "{error}");
    }
    // Units in the names themselves.
    let columns = Columns {
        time: Some("minutes".parse().unwrap()),
        x: Some("x/um".parse().unwrap()),
        ..Columns::default()
    };
    let named = "id,minutes,x/um,y/um\n1,0,0,0\n1,1,3,4\n";
    let tracks =
        read_text(named, &TrackOptions { columns: columns.clone(), ..TrackOptions::default() }).unwrap();
    assert_eq!(
        (tracks.units().length.as_deref(), tracks.units().time.as_deref()),
        (Some("um"), Some("minutes"))
    );
    let error =
        read_text(named, &TrackOptions { columns, ..with(None, None, Some("s")) }).unwrap_err().to_string();
    assert!(error.contains("`minutes`"), "{error}");
}

#[test]
fn third_axes_by_any_name_are_named_and_empty_ones_are_none() {
    for name in ["plane", "layer", "axial", "ZM", "depth", "z_pos", "zcoord", "Height"] {
        let text = format!("id,t,x,y,{name}\n1,0,0,0,1\n1,1,3,4,2\n1,2,3,5,4\n");
        let tracks = read_text(&text, &TrackOptions::default()).unwrap();
        let said = tracks.notes().iter().any(|note| note.contains("not read") && note.contains(name));
        assert!(said, "{name}: {:?}", tracks.notes());
    }
    let tracks = read_text("id,t,x,y,z\n1,0,0,0,\n1,1,3,4,\n", &TrackOptions::default()).unwrap();
    assert_eq!(tracks.dimensions(), 2);
    assert!(tracks.notes().iter().any(|note| note.contains("`z` is empty")), "{:?}", tracks.notes());
    assert!(read_text("id,t,x,y,z\n1,0,0,0,\n1,1,3,4,2\n", &TrackOptions::default()).is_err());
}

#[test]
fn comments_and_odd_numbers_are_said() {
    let tracks =
        read_text("# interval 30 s\nid,t,x,y\n1,0,0,0\n1,1,3,4\n", &TrackOptions::default()).unwrap();
    assert!(
        tracks.notes().iter().any(|n| n.contains("`interval 30 s` above the rows")),
        "{:?}",
        tracks.notes()
    );
    let tracks = read_text("# id,t,x,y\n1,0,0,0\n1,1,3,4\n", &TrackOptions::default()).unwrap();
    assert!(!tracks.notes().iter().any(|n| n.contains("passed over")), "{:?}", tracks.notes());
    for number in ["1_0", "0x10"] {
        let text = format!("id,t,x,y\n1,0,0,0\n1,1,{number},4\n");
        assert!(
            read_text(&text, &TrackOptions::default()).unwrap_err().to_string().contains("is not a number")
        );
    }
    for time in ["2024-01-31T12:30:00Z", "2024-01-31", "0:30", "31/01/2024 12:30"] {
        let text = format!("id,t,x,y\n1,0,0,0\n1,{time},3,4\n");
        let error = read_text(&text, &TrackOptions::default()).unwrap_err().to_string();
        assert!(error.contains("date or clock time") && error.contains("since the start"), "{error}");
    }
}

#[test]
fn lengths_with_and_without_a_unit_are_not_added_up() {
    let table = |header: &str| format!("{header}\n1,0,1,2,3\n1,1,2,3,5\n1,2,3,5,9\n");
    for header in
        ["track,frame,x,y,Z_um", "track,frame,x_um,y_um,z", "track,frame,x (px),y,z", "track,frame,x,y_um,z"]
    {
        let error = refused(&table(header));
        assert!(
            error.contains("without a unit") && error.contains("cannot be added up"),
            "{header}: {error}"
        );
    }
    let lines = "track,frame,x,y\nid,number,µm,down\n1,0,1,2\n1,1,2,3\n";
    assert!(read_text(lines, &TrackOptions::default()).is_err());
    // Who says that all are in that unit settles it; another unit does not.
    let header = table("track,frame,x,y,Z_um");
    assert_eq!(with_units(&header, Some("µm"), None).unwrap().units().length.as_deref(), Some("µm"));
    assert!(with_units(&header, Some("px"), None).is_err());
    for header in ["track,frame,x,y,z", "track,frame,x_um,y_um,z_um", "track,time_min,x,y,z"] {
        assert!(read_text(&table(header), &TrackOptions::default()).is_ok(), "{header}");
    }
}

#[test]
fn a_comma_before_three_digits_throughout_is_asked_about() {
    let table = |rows: &str| format!("track;frame;x_nm;y_nm\n{rows}");
    let error = refused(&table("1;0;146,684;123,711\n1;1;147,180;121,757\n1;2;148,538;122,426\n"));
    for words in ["`146,684` may be 146.684 or 146684", "separators of thousands", "line 2"] {
        assert!(error.contains(words), "{error}");
    }
    // One number that is no thousands, wherever it stands, settles it.
    for proof in ["0,711", "123,7", "1234,711", "123,7110"] {
        let rows = format!("1;0;146,684;{proof}\n1;1;147,180;121,757\n1;2;148,538;122,426\n");
        let tracks = read_text(&table(&rows), &TrackOptions::default()).unwrap();
        assert!((tracks.tracks()[0].positions()[0][0] - 146.684).abs() < 1e-9, "{proof}");
        assert!(tracks.notes().iter().any(|note| note.contains("decimal comma")), "{:?}", tracks.notes());
    }
}

#[test]
fn copies_of_tracks_and_held_positions_are_noted() {
    let at = |track: u32, frame: u32, held: u32| {
        let frame = frame / held * held;
        (f64::from(track * 31 + frame * frame % 17) * 0.7, f64::from(frame * (track + 2)) * 0.3)
    };
    let table = |rows: &[(u32, u32, u32)], held: u32| {
        let line = |(id, like, frame): &(u32, u32, u32)| {
            let (x, y) = at(*like, *frame, held);
            format!("{id},{frame},{x},{y}\n")
        };
        format!("track,frame,x,y\n{}", rows.iter().map(line).collect::<String>())
    };
    let rows = |likes: &[u32]| -> Vec<(u32, u32, u32)> {
        let own = |(id, like): (u32, &u32)| (0..24).map(move |frame| (id, *like, frame)).collect::<Vec<_>>();
        (0..).zip(likes).flat_map(own).collect()
    };
    let notes = |likes: &[u32], held: u32| {
        read_text(&table(&rows(likes), held), &TrackOptions::default()).unwrap().notes().to_vec()
    };
    assert!(notes(&[0, 1, 2, 3], 1).is_empty(), "{:?}", notes(&[0, 1, 2, 3], 1));
    let copies = notes(&[0, 1, 2, 3, 0], 1);
    assert!(copies[0].starts_with("tracks `0` and `4` are the same"), "{copies:?}");
    let more = notes(&[0, 1, 0, 1, 0], 1);
    assert!(more[0].contains("`0` and `2`") && more[0].contains("2 more"), "{more:?}");
    for (held, words) in
        [(2, "every second position equals the one before it"), (3, "only one position in 3")]
    {
        let own = notes(&[0, 1, 2, 3], held);
        assert!(own[0].contains("in 4 tracks") && own[0].contains(words), "{own:?}");
    }
    // Cells that stand still from some time on, or throughout, are no copies.
    let still = "track,frame,x,y\n".to_owned()
        + &(0..12).map(|f| format!("a,{f},{},1\nb,{f},4,4\nc,{f},4,4\n", f.min(4))).collect::<String>();
    let still = read_text(&still, &TrackOptions::default()).unwrap();
    assert!(
        still.notes().iter().all(|note| !note.contains("same") && !note.contains("equals")),
        "{:?}",
        still.notes()
    );
}
