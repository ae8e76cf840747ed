//! The report as one page with plots, which needs nothing but itself: no script, no network.

use crate::report::Report;
use crate::series::SeriesPoint;
use std::fmt::Write;

/// One plot: a title, a unit, and its curves.
struct Plot<'a> {
    title: &'a str,
    unit: &'a str,
    curves: Vec<Curve<'a>>,
}

struct Curve<'a> {
    name: &'a str,
    class: &'a str,
    value: fn(&SeriesPoint) -> Option<f64>,
}

/// The size of a plot's inner area, and its margins: left, top, right, bottom.
const SIZE: (f64, f64) = (560.0, 150.0);
const MARGINS: (f64, f64, f64, f64) = (52.0, 10.0, 10.0, 24.0);

/// The page.
#[must_use]
pub fn page(title: &str, report: &Report) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write_page(&mut out, title, report);
    out
}

fn write_page(out: &mut String, title: &str, report: &Report) -> std::fmt::Result {
    let title = escape(title);
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
    )?;
    write_cards(out, report)?;
    out.push_str("<div class=\"plots\">\n");
    for plot in plots(report) {
        write_plot(out, &plot, &report.series)?;
    }
    out.push_str("</div>\n");
    write_parts(out, report)?;
    write!(out, "<h2>In words</h2>\n<pre>{}</pre>\n", escape(&report.to_string()))?;
    out.push_str("</main>\n</body>\n</html>\n");
    Ok(())
}

/// The figures that one looks for first.
fn write_cards(out: &mut String, report: &Report) -> std::fmt::Result {
    let mut cards = vec![
        ("clients", report.clients.to_string(), format!("for {:.0} s", report.seconds)),
        ("snapshots", format!("{:.2}", report.snapshot_hz_mean), "a second and client".to_owned()),
        ("interval", format!("{:.1} ms", report.interval_ms.p99), "99 of 100 at most".to_owned()),
        ("input to effect", format!("{:.1} ms", report.latency_ms.p50), "the median".to_owned()),
        (
            "payload",
            format!("{:.0} B", report.payload_bytes_per_client_second),
            "a second and client".to_owned(),
        ),
    ];
    if report.predicted > 0 {
        cards.push((
            "corrections",
            report.corrections.to_string(),
            format!("of {} avatars", report.predicted),
        ));
    }
    let faults = report.protocol_errors + report.wrong_states + report.avatar_mismatches;
    cards.push(("faults", faults.to_string(), "wrong states, broken rules".to_owned()));
    out.push_str("<dl class=\"cards\">\n");
    for (name, value, note) in cards {
        let class = if name == "faults" && faults > 0 { " class=\"bad\"" } else { "" };
        writeln!(out, "<div{class}><dt>{name}</dt><dd>{value}</dd><dd class=\"note\">{note}</dd></div>")?;
    }
    out.push_str("</dl>\n");
    Ok(())
}

/// Where the bytes went: a row and a bar for each part.
fn write_parts(out: &mut String, report: &Report) -> std::fmt::Result {
    if report.payload_parts.is_empty() {
        return Ok(());
    }
    let most = report.payload_parts.iter().map(|part| part.bytes_per_client_second).fold(1e-9, f64::max);
    out.push_str("<h2>Where the bytes went</h2>\n<table class=\"parts\">\n");
    out.push_str(
        "<tr><th>part</th><th>B/s and client</th><th></th><th>told a second</th><th>bits</th></tr>\n",
    );
    for part in &report.payload_parts {
        let bytes = part.bytes_per_client_second;
        let number = |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:.1}"));
        writeln!(
            out,
            "<tr><td>{}</td><td>{bytes:.1}</td><td><i style=\"width:{:.1}%\"></i></td><td>{}</td>\
             <td>{}</td></tr>",
            escape(&part.name),
            100.0 * bytes / most,
            number(part.told_per_client_second),
            number(part.bits_each)
        )?;
    }
    out.push_str("</table>\n");
    Ok(())
}

fn plots(report: &Report) -> Vec<Plot<'static>> {
    let curve = |name, class, value| Curve { name, class, value };
    let mut plots = vec![
        Plot {
            title: "Time between two snapshots",
            unit: "ms",
            curves: vec![
                curve("median", "one", |point| Some(point.interval_p50_ms)),
                curve("99 of 100", "two", |point| Some(point.interval_p99_ms)),
            ],
        },
        Plot {
            title: "From input to effect",
            unit: "ms",
            curves: vec![
                curve("median", "one", |point| Some(point.latency_p50_ms)),
                curve("99 of 100", "two", |point| Some(point.latency_p99_ms)),
            ],
        },
        Plot {
            title: "Payload per client",
            unit: "B/s",
            curves: vec![curve("bytes", "one", |point| Some(point.payload_bytes))],
        },
    ];
    if report.predicted > 0 {
        plots.push(Plot {
            title: "Corrections and substituted inputs, all clients",
            unit: "per point",
            curves: vec![
                curve("corrections", "two", |point| Some(point.corrections as f64)),
                curve("substituted inputs", "one", |point| Some(point.substituted_inputs as f64)),
            ],
        });
        plots.push(Plot {
            title: "How early inputs come",
            unit: "ms",
            curves: vec![curve("input lead", "one", |point| point.input_lead_ms)],
        });
    }
    plots
}

fn write_plot(out: &mut String, plot: &Plot<'_>, series: &[SeriesPoint]) -> std::fmt::Result {
    let (width, height) = SIZE;
    let (left, top, right, bottom) = MARGINS;
    let values = || plot.curves.iter().flat_map(|curve| series.iter().filter_map(curve.value));
    let step = nice_step(values().fold(0.0, f64::max) - values().fold(0.0, f64::min));
    let high = (values().fold(step, f64::max) / step).ceil() * step;
    let low = (values().fold(0.0, f64::min) / step).floor() * step;
    let end = series.last().map_or(1.0, |point| point.second).max(1.0);
    let place =
        |second: f64, value: f64| (left + second / end * width, top + (high - value) / (high - low) * height);
    write!(
        out,
        "<figure>\n<figcaption>{} <span>{}</span></figcaption>\n\
         <svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{} over time\">\n",
        plot.title,
        plot.unit,
        left + width + right,
        top + height + bottom,
        plot.title
    )?;
    let lines = ((high - low) / step).round() as i32;
    for line in 0..=lines {
        let value = low + f64::from(line) * step;
        let (x, y) = place(0.0, value);
        writeln!(
            out,
            "<path class=\"grid\" d=\"M{x:.1} {y:.1}h{width}\"/><text class=\"y\" x=\"{:.1}\" \
             y=\"{:.1}\">{}</text>",
            x - 6.0,
            y + 4.0,
            label(value, step)
        )?;
    }
    let seconds = nice_step(end);
    for tick in 0..=(end / seconds) as i32 {
        let second = f64::from(tick) * seconds;
        let (x, _) = place(second, 0.0);
        let y = top + height + 16.0;
        writeln!(out, "<text class=\"x\" x=\"{x:.1}\" y=\"{y:.1}\">{} s</text>", label(second, seconds))?;
    }
    for curve in &plot.curves {
        let mut path = String::new();
        let mut pen = 'M';
        for point in series {
            match (curve.value)(point) {
                Some(value) => {
                    let (x, y) = place(point.second, value);
                    write!(path, "{pen}{x:.1} {y:.1}")?;
                    pen = 'L';
                }
                None => pen = 'M',
            }
        }
        writeln!(out, "<path class=\"curve {}\" d=\"{path}\"/>", curve.class)?;
    }
    out.push_str("</svg>\n<p class=\"legend\">");
    for curve in &plot.curves {
        write!(out, "<span class=\"{}\">{}</span> ", curve.class, curve.name)?;
    }
    out.push_str("</p>\n</figure>\n");
    Ok(())
}

/// A step of 1, 2 or 5 times a power of ten that divides a span into two to five parts.
fn nice_step(span: f64) -> f64 {
    let rough = (span / 4.0).max(1e-3);
    let power = 10_f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * power >= rough);
    factor.unwrap_or(10.0) * power
}

fn label(value: f64, step: f64) -> String {
    let digits = (-step.log10().floor()).clamp(0.0, 3.0) as usize;
    format!("{value:.digits$}")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

const STYLE: &str = include_str!("page.css");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parts::PayloadPart;

    #[test]
    fn the_page_has_all_plots_and_needs_nothing_else() {
        let point = |second: u32| SeriesPoint {
            second: f64::from(second),
            interval_p99_ms: 40.0,
            input_lead_ms: (second != 1).then_some(-3.0),
            ..SeriesPoint::default()
        };
        let report =
            Report { clients: 2, predicted: 9, series: (0..3).map(point).collect(), ..Report::default() };
        let html = page("2 bots <of> \"arena\"", &report);
        assert!(html.contains("<h1>2 bots &lt;of&gt; &quot;arena&quot;</h1>"));
        assert_eq!(html.matches("<svg").count(), 5);
        assert!(!html.contains("http") && !html.contains("<script") && !html.contains("NaN"));
        assert!(!html.contains("<table"));
        let part = PayloadPart { name: "changed <figure>".to_owned(), ..PayloadPart::default() };
        let counted = page("parts", &Report { payload_parts: vec![part], ..Report::default() });
        assert!(counted.contains("<td>changed &lt;figure&gt;</td>"));
        let empty = page("nothing", &Report::default());
        assert_eq!(empty.matches("<svg").count(), 3);
        assert!(!empty.contains("NaN") && !empty.contains("inf"));
    }

    #[test]
    fn steps_are_round() {
        for (span, step) in [(4.0, 1.0), (35.0, 10.0), (130.0, 50.0), (0.7, 0.2), (0.0, 0.001)] {
            assert!((nice_step(span) - step).abs() < 1e-9, "{span}: {}", nice_step(span));
        }
    }
}
