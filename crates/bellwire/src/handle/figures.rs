//! The figures of a process for the facade `metrics`, whose recorder the app chooses.

use metrics::{counter, gauge};

use crate::Bellwire;

impl Bellwire {
    /// Writes the figures: those of [`Layer::counts`](crate::Layer::counts) as counters, and what is
    /// open and waiting now as gauges. The names begin with `bellwire_`.
    pub(crate) fn write_figures(&self) {
        let (layer, counts) = (self.layer(), self.layer().counts());
        let channels = layer.channels();
        let depths = channels.iter().map(|channel| channel.queue.depth());
        let (waiting, deepest) =
            depths.fold((0, 0), |(all, most), depth| (all + u64::from(depth), most.max(depth)));
        gauge!("bellwire_connections").set(channels.len() as f64);
        gauge!("bellwire_groups").set(layer.local_groups() as f64);
        gauge!("bellwire_queued_messages").set(waiting as f64);
        gauge!("bellwire_deepest_queue").set(f64::from(deepest));
        for (name, total) in [
            ("bellwire_sends", counts.sends),
            ("bellwire_encodings", counts.encodings),
            ("bellwire_deliveries", counts.deliveries),
            ("bellwire_writes", counts.writes),
            ("bellwire_written_bytes", counts.bytes),
            ("bellwire_lags", counts.overflows),
            ("bellwire_catch_ups", counts.catch_ups),
            ("bellwire_feed_reads", counts.feed_reads),
            ("bellwire_refusals", counts.refusals),
        ] {
            counter!(name).absolute(total);
        }
    }
}

#[cfg(test)]
mod tests {
    use metrics_util::debugging::{DebugValue, DebuggingRecorder};

    use super::*;

    #[test]
    fn the_figures_are_those_of_the_layer() {
        let bellwire = Bellwire::builder("http://127.0.0.1:8000").build().unwrap();
        bellwire.layer().person("ada").text("hi");
        let recorder = DebuggingRecorder::new();
        let snapshotter = recorder.snapshotter();
        metrics::with_local_recorder(&recorder, || bellwire.write_figures());
        let figures = snapshotter.snapshot().into_vec();
        let figure = |name: &str| {
            let found = figures.iter().find(|(key, ..)| key.key().name() == name);
            found.map(|(.., value)| match value {
                DebugValue::Counter(count) => *count,
                DebugValue::Gauge(gauge) => gauge.into_inner() as u64,
                DebugValue::Histogram(_) => panic!("{name} is a histogram"),
            })
        };
        assert_eq!((figure("bellwire_sends"), figure("bellwire_connections")), (Some(1), Some(0)));
        assert_eq!(figures.len(), 13);
    }
}
