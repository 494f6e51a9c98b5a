//! Several readers of one tape, and its cap.

use std::{cell::RefCell, collections::VecDeque, convert::Infallible, rc::Rc, sync::Mutex, task::Wake};

use tokio_test::{assert_pending, assert_ready, task};

use super::*;
use crate::retry::ReplayBody;

/// A body that is told when to go on, and, as bodies may, wakes only who asked last.
#[derive(Clone, Debug, Default)]
struct Upload(Rc<RefCell<(VecDeque<&'static str>, Option<Waker>)>>);

impl Upload {
    fn push(&self, data: &'static str) {
        self.0.borrow_mut().0.push_back(data);
        let asked_last = self.0.borrow_mut().1.take();
        asked_last.into_iter().for_each(Waker::wake);
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let mut upload = self.0.borrow_mut();
        match upload.0.pop_front() {
            Some(data) => Poll::Ready(Some(Ok(Frame::data(Bytes::from(data))))),
            None => {
                upload.1 = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

type Shared = Rc<RefCell<Tape<Upload>>>;

fn reader(tape: &Shared) -> task::Spawn<impl Future<Output = Bytes>> {
    let (tape, mut at, mut others) = (tape.clone(), Position::default(), Vec::new());
    task::spawn(async move {
        let frame = std::future::poll_fn(|cx| tape.borrow_mut().poll_frame(&mut at, cx, &mut others)).await;
        others.into_iter().for_each(Waker::wake);
        frame.unwrap().unwrap().into_data().unwrap()
    })
}

#[test]
fn a_reader_that_asked_last_and_left_takes_nobodys_wakeup_along() {
    let upload = Upload::default();
    let tape = Rc::new(RefCell::new(Tape::new(upload.clone(), 100)));
    let (mut first, mut second) = (reader(&tape), reader(&tape));
    assert_pending!(second.poll());
    assert_pending!(first.poll());
    drop(first);

    upload.push("data");

    assert!(second.is_woken());
    assert_eq!(assert_ready!(second.poll()), "data");
}

#[test]
fn a_reader_that_has_its_data_is_not_woken_for_it() {
    let upload = Upload::default();
    let tape = Rc::new(RefCell::new(Tape::new(upload.clone(), 100)));
    let (mut first, mut second) = (reader(&tape), reader(&tape));
    assert_pending!(first.poll());
    assert_pending!(second.poll());
    upload.push("data");
    assert!(first.is_woken() && second.is_woken());

    assert_eq!(assert_ready!(first.poll()), "data");

    assert!(!first.is_woken());
    assert_eq!(assert_ready!(second.poll()), "data");
}

fn read(tape: &mut Tape<Upload>, at: &mut Position) -> Result<Bytes, String> {
    let mut cx = Context::from_waker(Waker::noop());
    let frame = assert_ready!(tape.poll_frame(at, &mut cx, &mut Vec::new())).unwrap();
    frame.map(|frame| frame.into_data().unwrap()).map_err(|error| error.to_string())
}

/// An HTTP/1 connection goes on sending a body whose answer has come early.
#[test]
fn an_attempt_that_is_over_reads_nothing_away_from_the_next() {
    let upload = Upload::default();
    ["one", "two", "three", "four"].into_iter().for_each(|data| upload.push(data));
    let mut tape = Tape::new(upload, 8);
    let mut over = Position::default();
    assert_eq!(read(&mut tape, &mut over).unwrap(), "one");
    let mut next = tape.begin().unwrap();

    let gone_on: Vec<_> = (0..3).map(|_| read(&mut tape, &mut over).is_ok()).collect();

    assert_eq!(gone_on, [true, true, false], "one frame over the cap, and no more");
    let all = ["one", "two", "three", "four"].map(|_| read(&mut tape, &mut next).unwrap());
    assert_eq!(all, ["one", "two", "three", "four"]);
    assert!(tape.begin().is_none(), "over the cap");
}

#[test]
fn an_attempt_that_was_never_made_stops_nobody() {
    let upload = Upload::default();
    ["one", "two", "three", "four"].into_iter().for_each(|data| upload.push(data));
    let mut tape = Tape::new(upload, 8);
    let mut only = Position::default();
    assert_eq!(read(&mut tape, &mut only).unwrap(), "one");

    drop(tape.begin().unwrap());

    assert_eq!([(); 3].map(|()| read(&mut tape, &mut only).unwrap()), ["two", "three", "four"]);
}

#[test]
fn caps_of_nothing_and_of_exactly_as_much_as_there_is() {
    for (cap, again) in [(0, false), (3, false), (4, true)] {
        let upload = Upload::default();
        upload.push("data");
        let tape = Rc::new(RefCell::new(Tape::new(upload, cap)));
        assert_eq!(assert_ready!(reader(&tape).poll()), "data");
        assert_eq!(tape.borrow_mut().begin().is_some(), again, "cap {cap}");
    }
}

/// Empty frames cost no bytes, and an upload of nothing else would be kept for ever.
#[test]
fn a_body_of_empty_frames_is_not_kept_for_ever() {
    let upload = Upload::default();
    (0..20).for_each(|_| upload.push(""));
    let mut tape = Tape::new(upload, 8);
    let mut only = Position::default();

    assert!((0..20).all(|_| read(&mut tape, &mut only).is_ok()), "it goes through");

    assert!(tape.frames.is_empty());
    assert!(tape.begin().is_none(), "over the cap");
}

/// A body without frames of its own accord.
#[derive(Clone, Debug, Default)]
struct Sluice(Arc<Mutex<VecDeque<Bytes>>>);

impl Body for Sluice {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0
            .lock()
            .unwrap()
            .pop_front()
            .map_or(Poll::Pending, |data| Poll::Ready(Some(Ok(Frame::data(data)))))
    }
}

/// A waker that looks at the tape, as one does that polls its task at once.
struct Looks {
    tape: Arc<Mutex<Tape<Sluice>>>,
    locked: Mutex<Option<bool>>,
}

impl Wake for Looks {
    fn wake(self: Arc<Self>) {
        *self.locked.lock().unwrap() = Some(self.tape.try_lock().is_err());
    }
}

#[test]
fn who_is_woken_may_look_at_the_tape() {
    let sluice = Sluice::default();
    let tape = Arc::new(Mutex::new(Tape::new(sluice.clone(), 100)));
    let looks = Arc::new(Looks { tape: tape.clone(), locked: Mutex::new(None) });
    let (mut reads, mut waits) = (ReplayBody::taped(tape.clone()), ReplayBody::taped(tape));
    let waker = Waker::from(looks.clone());
    assert_pending!(Pin::new(&mut waits).poll_frame(&mut Context::from_waker(&waker)));
    sluice.0.lock().unwrap().push_back(Bytes::from("data"));

    let frame = assert_ready!(Pin::new(&mut reads).poll_frame(&mut Context::from_waker(Waker::noop())));

    assert_eq!(frame.unwrap().unwrap().into_data().unwrap(), "data");
    assert_eq!(*looks.locked.lock().unwrap(), Some(false));
}
