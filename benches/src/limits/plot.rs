//! The figures as a picture.

use std::error::Error;

use plotters::coord::Shift;
use plotters::coord::ranged1d::{AsRangedCoord, Ranged, ValueFormatter};
use plotters::prelude::*;

use super::bench::{Bench, Moment, Row};
use super::candidate::all;
use super::scenario::{LOADS, Machine, PATIENCE, Phase, STEPPED};

/// Width and height, in the units of an SVG.
const SIZE: (u32, u32) = (1200, 1600);
/// The height of the strip that says which colour is whose.
const LEGEND: i32 = 60;
/// The highest limit of the axis: that of the algorithms.
const MOST: f64 = 1000.0;
/// Where the axis of latencies has its lines.
const MILLIS: [f64; 6] = [30.0, 50.0, 100.0, 200.0, 500.0, 1000.0];
/// Of the candidates, in their order. Told apart also by who sees red and green alike.
const COLOURS: [RGBColor; 8] = [
    RGBColor(150, 150, 150),
    RGBColor(0, 0, 0),
    RGBColor(230, 159, 0),
    RGBColor(213, 94, 0),
    RGBColor(0, 114, 178),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
];

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Outcome = Result<(), Box<dyn Error>>;
type Line = Vec<(f64, f64)>;

/// The picture as an SVG, on a white of its own: so it is read on a dark page as well.
///
/// # Errors
///
/// What the drawing crate reports; drawing into a string fails only by a mistake here.
pub fn render(bench: &Bench) -> Result<String, Box<dyn Error>> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        let (head, body) = root.split_vertically(LEGEND);
        legend(&head)?;
        let panels = body.split_evenly((1 + STEPPED.len(), 2));
        over_load(bench, &panels[0], &panels[1])?;
        for (load, panels) in STEPPED.into_iter().zip(panels[2..].chunks(2)) {
            over_time(bench, load, &panels[0], &panels[1])?;
        }
        root.present()?;
    }
    Ok(svg)
}

/// Which colour is whose, and what is dashed.
fn legend(area: &Area<'_>) -> Outcome {
    let columns = all().len().div_ceil(2).max(1);
    let width = SIZE.0 as i32 / columns as i32;
    for (index, candidate) in all().into_iter().enumerate() {
        let (x, y) = ((index % columns) as i32 * width + 40, (index / columns) as i32 * 24 + 20);
        area.draw(&PathElement::new(vec![(x, y), (x + 30, y)], colour(index).stroke_width(3)))?;
        area.draw(&Text::new(candidate.name, (x + 38, y - 8), ("sans-serif", 16)))?;
    }
    Ok(())
}

/// Goodput and p99 under steady load.
fn over_load(bench: &Bench, goodput: &Area<'_>, p99: &Area<'_>) -> Outcome {
    let x = || (LOADS[0]..LOADS[LOADS.len() - 1]).log_scale().with_key_points(LOADS.to_vec());
    let ideal = LOADS.iter().map(|load| (*load, load.min(1.0) * 100.0)).collect();
    Panel {
        title: "Goodput under steady load, % of capacity (dashed: what is possible)",
        x: "offered, × capacity",
    }
    .draw(goodput, x(), 0.0..105.0, &series(bench, |row| row.figures.of_capacity * 100.0), ideal)?;
    let bound = Machine::QUICK.unloaded_p99().as_secs_f64() * 3e3;
    let bound = LOADS.iter().map(|load| (*load, bound)).collect();
    Panel { title: "p99 of the admitted, ms (dashed: three times the unloaded)", x: "offered, × capacity" }
        .draw(
            p99,
            x(),
            (30.0..PATIENCE.as_secs_f64() * 1.2e3).log_scale().with_key_points(MILLIS.to_vec()),
            &series(bench, |row| row.figures.p99.as_secs_f64() * 1e3),
            bound,
        )
}

fn series(bench: &Bench, of: impl Fn(&Row) -> f64) -> Vec<Line> {
    let line = |name| {
        bench.rows.iter().filter(|row| row.candidate.name == name).map(|row| (row.load, of(row))).collect()
    };
    all().into_iter().map(|candidate| line(candidate.name)).collect()
}

/// Goodput and limit through the step.
fn over_time(bench: &Bench, load: f64, goodput: &Area<'_>, limit: &Area<'_>) -> Outcome {
    let x = || 0.0..Phase::Back.end().since(Phase::Start.begin()).as_secs_f64();
    let lines = |of: fn(&Moment) -> Option<f64>| -> Vec<Line> {
        let courses =
            all().into_iter().map(|candidate| bench.row(candidate.name, load).map(|row| &row.course));
        let line = |course: &Vec<Moment>| {
            course.iter().filter_map(|moment| Some((moment.at.as_secs_f64(), of(moment)?))).collect()
        };
        courses.map(|course| course.map(line).unwrap_or_default()).collect()
    };
    let title = format!("Goodput at {load} ×, % of the capacity of the moment (dashed: all of it)");
    let all = vec![(0.0, 100.0), (x().end, 100.0)];
    let x_title = "seconds; from 60 to 90 every service takes five times as long";
    Panel { title: &title, x: x_title }.draw(
        goodput,
        x(),
        0.0..125.0,
        &lines(|moment| Some(moment.goodput * 100.0)),
        all,
    )?;
    let title = format!("Limit at {load} × (dashed: the slots of the server)");
    let slots = vec![(0.0, 16.0), (x().end, 16.0)];
    Panel { title: &title, x: x_title }.draw(
        limit,
        x(),
        (1.0..MOST).log_scale(),
        &lines(|moment| moment.limit.map(f64::from)),
        slots,
    )
}

/// A diagram.
struct Panel<'a> {
    title: &'a str,
    x: &'a str,
}

impl Panel<'_> {
    fn draw<X, Y>(&self, area: &Area<'_>, x: X, y: Y, lines: &[Line], dashed: Line) -> Outcome
    where
        X: AsRangedCoord<Value = f64, CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>>,
        Y: AsRangedCoord<Value = f64, CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>>,
    {
        let mut chart = ChartBuilder::on(area)
            .caption(self.title, ("sans-serif", 16))
            .margin(12)
            .x_label_area_size(44)
            .y_label_area_size(48)
            .build_cartesian_2d(x, y)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.12))
            .x_desc(self.x)
            .label_style(("sans-serif", 13))
            .x_label_formatter(&|value| value.to_string())
            .y_label_formatter(&|value| value.to_string())
            .draw()?;
        chart.draw_series(DashedLineSeries::new(dashed, 6, 5, BLACK.mix(0.6).into()))?;
        for (index, line) in lines.iter().enumerate() {
            chart.draw_series(LineSeries::new(line.iter().copied(), colour(index).stroke_width(2)))?;
        }
        Ok(())
    }
}

fn colour(index: usize) -> RGBColor {
    COLOURS[index % COLOURS.len()]
}
