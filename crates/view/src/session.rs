//! Talks with one page: does what it wishes, steps, and sends what is to be drawn.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use glauber_files::whole_number;
use glauber_models::OptionValue;
use serde_json::{Value, json};
use tungstenite::{Error, Message, WebSocket};

use crate::film::Reel;
use crate::message::{OptionWish, Wish, film, picture};
use crate::remains::Remains;
use crate::source::{Seen, Source};
use crate::spread::{News, Spread};
use crate::stage::Stage;

/// Pictures a second at most.
const PICTURES: f64 = 30.0;
/// Pictures that are under way to a page at most: a slow page is sent fewer.
const UNDER_WAY: u32 = 2;
/// A picture's steps take no longer than this, as far as one step allows, so that sliders answer.
const PATIENCE: f64 = 0.1;
/// How often a model file is looked at.
const GLANCE: Duration = Duration::from_millis(250);
/// How often the command with the present step is told while it runs.
const TOLD_AGAIN: Duration = Duration::from_secs(1);
/// Draws of a posterior are simulated to here at least, and to twice the run's own step.
const SOON: u64 = 100;
/// Rows of draws that are sent between two pictures.
const MOST_NEWS: usize = 4;
/// A page that has taken no picture of those under way for so long is given up.
const SILENCE: Duration = Duration::from_secs(30);
/// How long nothing is waited for at once.
const NAP: Duration = Duration::from_millis(20);

/// One page's conversation.
pub(crate) struct Session {
    socket: WebSocket<TcpStream>,
    /// The model as this page has it: its options may be others than the server began with.
    source: Source,
    threads: usize,
    stage: Option<Box<dyn Stage>>,
    reel: Reel,
    playing: bool,
    /// Whether it stands still because a step failed.
    failed: bool,
    /// What is wrong with the model's file as it is now, while the model before goes on.
    broken: Option<String>,
    /// What the model's file says.
    text: Option<String>,
    /// Steps a second; 0 for as many as can be.
    speed: f64,
    seed: u64,
    slice: usize,
    course: u32,
    watched: Vec<String>,
    seen: Seen,
    looked: Instant,
    under_way: u32,
    /// When the page last said anything.
    heard: Instant,
    /// When steps were last made, and the seconds from one picture to the next lately.
    stepped: Instant,
    picture_seconds: f64,
    /// Steps that are due, in parts.
    due: f64,
    /// When the next picture is due.
    next: Instant,
    /// Seconds of one step, lately.
    step_seconds: f64,
    /// When the page was last told the command that is what is seen.
    told: Instant,
    /// What fits left that is of this model, and what is to be said of it.
    remains: Remains,
    said_of_remains: Vec<String>,
    /// Draws that are simulated beside the run, and the values that they have besides.
    spread: Option<Spread>,
    besides: Vec<f64>,
}

/// The page is gone, or asks for what no page asks for.
struct Gone;

impl Session {
    /// A conversation that has not begun.
    pub(crate) fn new(socket: WebSocket<TcpStream>, source: Arc<Source>, threads: usize) -> Session {
        let source = Source::clone(&source);
        Session {
            socket,
            threads,
            stage: None,
            reel: Reel::default(),
            playing: true,
            failed: false,
            broken: None,
            text: source.text(),
            speed: 10.0,
            seed: source.seed,
            slice: 0,
            course: 0,
            watched: Vec::new(),
            seen: source.look(),
            looked: Instant::now(),
            under_way: 0,
            heard: Instant::now(),
            stepped: Instant::now(),
            picture_seconds: 0.0,
            due: 0.0,
            next: Instant::now(),
            step_seconds: 0.0,
            told: Instant::now(),
            remains: Remains::default(),
            said_of_remains: Vec::new(),
            spread: None,
            besides: Vec::new(),
            source,
        }
    }

    /// Until the page or the server ends it.
    pub(crate) fn run(mut self, stop: &AtomicBool) {
        let _ = self.converse(stop);
        let _ = self.socket.close(None);
        let _ = self.socket.flush();
    }

    fn converse(&mut self, stop: &AtomicBool) -> Result<(), Gone> {
        self.make_anew()?;
        while !stop.load(Ordering::Relaxed) {
            self.hear()?;
            self.look_at_the_file()?;
            self.go_on()?;
            self.tell_of_draws()?;
        }
        self.say(&json!({"is": "end", "words": "the server was ended"}))
    }

    /// Takes what the page says, waiting a little where nothing else is to be done.
    fn hear(&mut self) -> Result<(), Gone> {
        let nap = if self.playing && self.under_way < UNDER_WAY { self.until_due().min(NAP) } else { NAP };
        let timeout = nap.max(Duration::from_millis(1));
        self.socket.get_mut().set_read_timeout(Some(timeout)).map_err(|_| Gone)?;
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) => {
                    self.heard = Instant::now();
                    match serde_json::from_str::<Wish>(&text) {
                        Ok(wish) => self.grant(wish)?,
                        Err(_) => return Err(Gone),
                    }
                }
                Ok(Message::Ping(_) | Message::Pong(_)) => {}
                Ok(_) => return Err(Gone),
                Err(Error::Io(error))
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    // A page that takes no pictures keeps its place no longer from others.
                    if self.under_way < UNDER_WAY || self.heard.elapsed() <= SILENCE {
                        return Ok(());
                    }
                    let words = format!(
                        "this page took no picture for {} s, as one that a browser puts to sleep: its run was ended; load it again",
                        SILENCE.as_secs()
                    );
                    self.wrong("page", &words)?;
                    return Err(Gone);
                }
                Err(_) => return Err(Gone),
            }
            // Whatever else has come already is taken too, without waiting.
            self.socket.get_mut().set_read_timeout(Some(Duration::from_millis(1))).map_err(|_| Gone)?;
        }
    }

    fn say(&mut self, value: &Value) -> Result<(), Gone> {
        self.socket.send(Message::text(value.to_string())).map_err(|_| Gone)
    }

    /// Says what went wrong; the stage stands still.
    fn wrong(&mut self, of: &str, words: &str) -> Result<(), Gone> {
        self.say(&json!({"is": "error", "of": of, "words": words}))
    }

    /// The model again, with the values that its parameters have where they are still parameters.
    fn make_anew(&mut self) -> Result<(), Gone> {
        match self.source.stage(self.threads) {
            Ok(stage) => self.take(stage),
            Err(words) => self.no_model(words),
        }
    }

    /// What is wrong with the model is said for as long as it is.
    fn no_model(&mut self, words: String) -> Result<(), Gone> {
        self.wrong("model", &words)?;
        self.broken = Some(words);
        Ok(())
    }

    /// Shows what was made, with the values that its parameters had where they are still parameters.
    fn take(&mut self, mut made: Box<dyn Stage>) -> Result<(), Gone> {
        let mut lost = Vec::new();
        if let Some(earlier) = &self.stage {
            for knob in earlier.knobs() {
                if made.set(&knob.name, knob.value).is_err() {
                    lost.push(knob.name.clone());
                }
            }
        }
        if !self.watched.is_empty() && made.watch(&self.watched).is_err() {
            self.watched.clear();
        }
        if let Err(words) = made.restart(self.seed) {
            return self.no_model(words);
        }
        self.broken = None;
        self.slice = made.extent()[0] / 2;
        (self.remains, self.said_of_remains) = self.source.remains.of_model(&made.name(), made.knobs());
        self.stage = Some(made);
        self.begin_course();
        self.describe(&lost)?;
        self.say(&json!({"is": "courses", "courses": self.remains.described()}))?;
        self.spread_anew()?;
        self.draw()
    }

    /// The values of parameters that no draw says.
    fn values_besides(&self) -> Vec<f64> {
        let Some((stage, draws)) = self.stage.as_ref().zip(self.remains.draws.as_ref()) else {
            return Vec::new();
        };
        let besides = stage.knobs().iter().filter(|knob| !draws.names.contains(&knob.name));
        besides.map(|knob| knob.value).collect()
    }

    /// Begins to simulate the draws of the posterior, if there are any; those under way end.
    fn spread_anew(&mut self) -> Result<(), Gone> {
        self.spread = None;
        self.besides = self.values_besides();
        let Some((stage, draws)) = self.stage.as_ref().zip(self.remains.draws.as_ref()) else {
            return self.say(&json!({"is": "draws", "count": 0, "of": 0}));
        };
        let Some(beginning) = stage.beginning() else { return Ok(()) };
        let far = stage.farthest().max(SOON).min(u64::from(u32::MAX)) as u32;
        let spread = Spread::begin(beginning, draws, far);
        let said = json!({"is": "draws", "count": spread.count, "of": draws.of, "verdict": draws.verdict});
        self.spread = Some(spread);
        self.say(&said)
    }

    /// Sends what has come of the draws.
    fn tell_of_draws(&mut self) -> Result<(), Gone> {
        if let Some((spread, stage)) = self.spread.as_ref().zip(self.stage.as_ref()) {
            spread.reach(stage.step().saturating_mul(2).min(u64::from(u32::MAX)) as u32);
        }
        for _ in 0..MOST_NEWS {
            let Some(news) = self.spread.as_mut().and_then(Spread::news) else { break };
            let finite = |x: &f64| if x.is_finite() { json!(x) } else { json!(null) };
            let said = match news {
                News::Row { step, numbers } => {
                    let rows: Vec<Vec<Value>> =
                        numbers.iter().map(|of| of.iter().map(finite).collect()).collect();
                    json!({"is": "draws-row", "step": step, "numbers": rows})
                }
                News::End(words) => json!({"is": "draws-end", "words": words}),
            };
            self.say(&said)?;
        }
        Ok(())
    }

    /// From the start with the parameters that a fit had at a row of its course.
    fn take_from_course(&mut self, fit: usize, row: usize) -> Result<(), Gone> {
        let Some(parameters) = self.remains.parameters(fit, row) else {
            return self.wrong("course", "there is no such step of a fit");
        };
        let Some(stage) = &mut self.stage else { return Ok(()) };
        let known: Vec<(String, f64)> =
            stage.knobs().iter().map(|knob| (knob.name.clone(), knob.value)).collect();
        let mut refused = Vec::new();
        for (name, value) in parameters {
            if known.iter().any(|(own, _)| own == name)
                && let Err(words) = stage.set(name, value)
            {
                refused.push(words);
            }
        }
        // All of a row or nothing: a mixture is of no fit.
        if !refused.is_empty() {
            for (name, value) in &known {
                let _ = stage.set(name, *value);
            }
            let words = refused.join("\n");
            return self.wrong("course", &format!("this step of the fit cannot be shown: {words}"));
        }
        if let Err(words) = stage.restart(self.seed) {
            return self.wrong("run", &words);
        }
        self.carry_on();
        self.begin_course();
        self.describe(&[])?;
        if self.besides != self.values_besides() {
            self.spread_anew()?;
        }
        self.draw()
    }

    fn begin_course(&mut self) {
        self.course += 1;
        self.reel.clear();
        (self.due, self.next, self.step_seconds) = (0.0, Instant::now() + self.between(), 0.0);
    }

    /// Tells the page what there is.
    fn describe(&mut self, lost: &[String]) -> Result<(), Gone> {
        let Some(stage) = &self.stage else { return Ok(()) };
        let finite = |x: f64| if x.is_finite() { json!(x) } else { json!(null) };
        let knobs: Vec<Value> = stage
            .knobs()
            .iter()
            .map(|k| json!({"name": k.name, "low": finite(k.low), "high": finite(k.high), "value": k.value, "unit": k.unit}))
            .collect();
        let looks: Vec<Value> = stage
            .looks()
            .iter()
            .map(|l| {
                json!({"name": l.name, "labels": l.labels, "colours": l.colours, "states": l.has_states()})
            })
            .collect();
        let curves: Vec<Value> = stage
            .curves()
            .iter()
            .map(|c| json!({"title": c.title, "names": c.names, "colours": c.colours}))
            .collect();
        let mut words = stage.words();
        if let Some(notes) = words["notes"].as_array_mut() {
            notes.extend(self.said_of_remains.iter().map(|note| json!(note)));
        }
        let description = json!({
            "is": "model",
            "name": stage.name(),
            "file": self.source.file().map(|path| path.display().to_string()),
            "extent": stage.extent(),
            "words": words,
            "parameters": knobs,
            "options": self.source.settings(),
            "looks": looks,
            "curves": curves,
            "seed": self.seed.to_string(),
            "speed": self.speed,
            "slice": self.slice,
            "course": self.course,
            "playing": self.playing,
            "lost": lost,
            "broken": self.broken,
            "observed": stage.observed(),
            "command": stage.command(stage.step(), self.seed),
            "start": stage.start_of_a_fit(),
        });
        self.say(&description)
    }

    /// Sends the present state.
    fn draw(&mut self) -> Result<(), Gone> {
        let Some(stage) = &mut self.stage else { return Ok(()) };
        let planes = stage.planes(self.slice);
        let message = picture(self.course, stage.step(), stage.numbers(), &planes);
        self.reel.keep(&planes);
        self.under_way += 1;
        self.socket.send(Message::binary(message)).map_err(|_| Gone)
    }

    /// The time from picture to picture.
    fn between(&self) -> Duration {
        let between = if self.speed > 0.0 { (1.0 / self.speed).max(1.0 / PICTURES) } else { 1.0 / PICTURES };
        Duration::from_secs_f64(between.min(60.0))
    }

    /// How long until the next picture is due.
    fn until_due(&self) -> Duration {
        self.next.saturating_duration_since(Instant::now())
    }

    /// Steps and draws, if it is time.
    fn go_on(&mut self) -> Result<(), Gone> {
        if !self.playing || self.under_way >= UNDER_WAY || !self.until_due().is_zero() {
            return Ok(());
        }
        // Pictures keep to a clock, so that one that is a little late does not make all later ones late; time that was spent
        // further behind is not made up for.
        let (now, between) = (Instant::now(), self.between());
        let is_behind = now.saturating_duration_since(self.next) > between;
        let elapsed = between.as_secs_f64() * if is_behind { 2.0 } else { 1.0 };
        self.next = if is_behind { now } else { self.next } + between;
        let since = now.saturating_duration_since(self.stepped).as_secs_f64().clamp(1.0 / PICTURES, PATIENCE);
        self.stepped = now;
        self.picture_seconds =
            if self.picture_seconds > 0.0 { 0.7 * self.picture_seconds + 0.3 * since } else { since };
        let most =
            if self.step_seconds > 0.0 { (PATIENCE / self.step_seconds).floor().max(1.0) } else { 1.0 };
        let steps = if self.speed > 0.0 {
            self.due += elapsed * self.speed;
            // One that is due but for a rounding error is due.
            let steps = (self.due + 1e-9).floor().min(most);
            self.due = (self.due - steps).clamp(0.0, 1.0);
            steps
        } else {
            // A page that draws slowly leaves more time for steps from picture to picture.
            ((0.8 * self.picture_seconds / self.step_seconds.max(1e-9)).floor()).clamp(1.0, most)
        };
        if steps >= 1.0 { self.advance(steps as usize) } else { Ok(()) }
    }

    fn advance(&mut self, steps: usize) -> Result<(), Gone> {
        let Some(stage) = &mut self.stage else { return Ok(()) };
        let begin = Instant::now();
        if let Err(words) = stage.advance(steps) {
            self.failed |= self.playing;
            self.playing = false;
            self.wrong("run", &words)?;
            return self.say(&json!({"is": "standing"}));
        }
        let seconds = begin.elapsed().as_secs_f64() / steps as f64;
        self.step_seconds =
            if self.step_seconds > 0.0 { 0.7 * self.step_seconds + 0.3 * seconds } else { seconds };
        self.draw()
    }

    /// Makes the model anew if its file is another.
    fn look_at_the_file(&mut self) -> Result<(), Gone> {
        if self.looked.elapsed() < GLANCE {
            return Ok(());
        }
        self.looked = Instant::now();
        let now = self.source.look();
        if now == self.seen {
            return Ok(());
        }
        self.seen = now;
        // Saved without a change it is the same model.
        let text = self.source.text();
        if text.is_some() && text == self.text && self.broken.is_none() {
            return Ok(());
        }
        self.text = text;
        self.carry_on();
        self.make_anew()
    }

    /// What stood still because a step failed runs again once something is another.
    fn carry_on(&mut self) {
        self.playing |= std::mem::take(&mut self.failed);
    }

    fn grant(&mut self, wish: Wish) -> Result<(), Gone> {
        match wish {
            Wish::Play => {
                self.failed = false;
                (self.playing, self.next, self.due) = (true, Instant::now(), 0.0);
                Ok(())
            }
            Wish::Pause => {
                self.playing = false;
                self.tell_how_to_have_it()
            }
            Wish::Step => {
                self.playing = false;
                self.advance(1)?;
                self.tell_how_to_have_it()
            }
            Wish::Restart { seed } => {
                let Some(seed) = whole_number(seed.trim()) else {
                    return self
                        .wrong("seed", "a seed is a whole number from 0 to 18,446,744,073,709,551,615");
                };
                self.seed = seed;
                self.carry_on();
                if let Some(Err(words)) = self.stage.as_mut().map(|stage| stage.restart(seed)) {
                    return self.wrong("run", &words);
                }
                self.begin_course();
                self.describe(&[])?;
                self.draw()
            }
            Wish::Speed { steps } => {
                if steps.is_finite() && steps >= 0.0 {
                    self.speed = steps;
                    self.next = self.next.min(Instant::now() + self.between());
                }
                Ok(())
            }
            Wish::Set { name, value } => {
                if let Some(Err(words)) = self.stage.as_mut().map(|stage| stage.set(&name, value)) {
                    return self.wrong("parameter", &words);
                }
                if self.besides != self.values_besides() {
                    self.spread_anew()?;
                }
                self.tell_how_to_have_it()
            }
            Wish::Option { name, value } => {
                let earlier = self.source.clone();
                let value = match value {
                    OptionWish::Flag(x) => OptionValue::Flag(x),
                    OptionWish::Number(x) => OptionValue::Number(x),
                    OptionWish::Word(x) => OptionValue::Text(x),
                };
                self.source.options.set(&name, value);
                // What cannot be made leaves the model as it was.
                match self.source.stage(self.threads) {
                    Ok(stage) => {
                        self.carry_on();
                        self.take(stage)
                    }
                    Err(words) => {
                        self.source = earlier;
                        self.describe(&[])?;
                        self.wrong("option", &words)
                    }
                }
            }
            Wish::Curves { of } => {
                if let Some(Err(words)) = self.stage.as_mut().map(|stage| stage.watch(&of)) {
                    return self.wrong("curves", &words);
                }
                self.watched = of;
                self.course += 1;
                self.describe(&[])?;
                self.spread_anew()?;
                self.draw()
            }
            Wish::Course { fit, row } => self.take_from_course(fit, row),
            Wish::Slice { plane } => {
                self.slice = plane;
                self.reel.clear();
                self.draw()
            }
            Wish::Site { place } => {
                let words = self.stage.as_ref().map(|stage| stage.at(place)).unwrap_or_default();
                self.say(&json!({"is": "site", "place": place, "words": words}))
            }
            Wish::Film { layer } => {
                let Some(stage) = &self.stage else { return Ok(()) };
                let [_, height, width] = stage.extent();
                let made = match stage.looks().get(usize::from(layer)) {
                    Some(look) => self.reel.film(usize::from(layer), look, height, width),
                    None => Err(format!("there is no layer {layer}")),
                };
                match made {
                    Ok(gif) => self.socket.send(Message::binary(film(layer, &gif))).map_err(|_| Gone),
                    Err(words) => self.wrong("film", &words),
                }
            }
            Wish::Drawn => {
                self.under_way = self.under_way.saturating_sub(1);
                self.tell_how_to_have_it_now_and_then()
            }
        }
    }

    /// The command and the start of a fit that are what is seen.
    fn tell_how_to_have_it(&mut self) -> Result<(), Gone> {
        self.told = Instant::now();
        let Some(stage) = &self.stage else { return Ok(()) };
        let words = json!({
            "is": "take-away",
            "command": stage.command(stage.step(), self.seed),
            "start": stage.start_of_a_fit(),
        });
        self.say(&words)
    }

    /// The same where the step has changed, but not with every picture.
    fn tell_how_to_have_it_now_and_then(&mut self) -> Result<(), Gone> {
        if self.playing && self.told.elapsed() < TOLD_AGAIN { Ok(()) } else { self.tell_how_to_have_it() }
    }
}
