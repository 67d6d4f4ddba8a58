//! Work for whoever takes it.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

use bellwire_races::stage::race;
use bellwire_races::{GroupName, Layer, NamedChannel};
use shuttle::future::block_on;
use shuttle::thread;

fn jobs(layer: &Layer) -> NamedChannel<u64> {
    layer.named_channel(GroupName::of("jobs", 1))
}

/// Begins to receive and gives up, once it waits.
fn gives_up(channel: &NamedChannel<u64>, taken: &Mutex<Vec<u64>>) {
    let mut receive = pin!(channel.receive());
    let poll = receive.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    if let std::task::Poll::Ready(message) = poll {
        taken.lock().unwrap().push(message);
    } else {
        // Others have their turn while it waits.
        thread::yield_now();
    }
}

#[test]
fn each_message_goes_to_exactly_one_receiver_though_others_give_up_waiting() {
    race(|| {
        let layer = Layer::memory();
        let taken = Arc::new(Mutex::new(Vec::new()));
        let quitter = {
            let (jobs, taken) = (jobs(&layer), taken.clone());
            thread::spawn(move || (0..2).for_each(|_| gives_up(&jobs, &taken)))
        };
        let sender = {
            let jobs = jobs(&layer);
            thread::spawn(move || (1..=4).for_each(|job| jobs.send(job).unwrap()))
        };
        let workers = [(); 2].map(|()| {
            let (jobs, taken) = (jobs(&layer), taken.clone());
            thread::spawn(move || {
                let message = block_on(jobs.receive());
                taken.lock().unwrap().push(message);
            })
        });
        // The quitter may take as many as two; these two always get theirs, or the test is a deadlock.
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        [quitter, sender].into_iter().for_each(|thread| thread.join().unwrap());
        let last = jobs(&layer);
        while taken.lock().unwrap().len() < 4 {
            let message = block_on(last.receive());
            taken.lock().unwrap().push(message);
        }
        taken.lock().unwrap().sort_unstable();
        assert_eq!(*taken.lock().unwrap(), [1, 2, 3, 4]);
        gives_up(&last, &taken);
        assert_eq!(taken.lock().unwrap().len(), 4, "one message was received twice");
    });
}

#[test]
fn an_empty_channel_goes_with_its_last_handle_whoever_drops_first() {
    race(|| {
        let layer = Layer::memory();
        let handles = [(); 3].map(|()| {
            let jobs = jobs(&layer);
            thread::spawn(move || drop(jobs.clone()))
        });
        handles.into_iter().for_each(|handle| handle.join().unwrap());
        assert_eq!(layer.named_channels_here(), 0);
    });
}

#[test]
fn a_channel_that_is_opened_while_the_last_handle_goes_loses_no_message() {
    race(|| {
        let layer = Layer::memory();
        let leaver = {
            let jobs = jobs(&layer);
            thread::spawn(move || drop(jobs))
        };
        let sender = {
            let layer = layer.clone();
            thread::spawn(move || jobs(&layer).send(1).unwrap())
        };
        assert_eq!(block_on(jobs(&layer).receive()), 1);
        leaver.join().unwrap();
        sender.join().unwrap();
        assert_eq!(layer.named_channels_here(), 0);
    });
}
