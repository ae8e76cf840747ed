//! The pages and what they consist of: built into the program, compressed once, cached by content.
//!
//! A page names its files under a path that holds the version of all of them, `/web/v-0123456789abcdef/…`: a
//! browser keeps them for ever, and another version of the server has other paths. Files import each other by
//! relative paths, so that all of a page is of one version. The same files lie under `/web/` without a
//! version, for pages of others; those are asked for again each time. They may be used from any origin, for
//! there is nothing secret in them.
//!
//! They are compressed with gzip: browsers take brotli over TLS alone, and in a LAN there is none.

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use std::io::Write;
use std::sync::LazyLock;

/// Every file of `assets/web`: its path there, and its content.
const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/web_files.rs"));

static WEB: LazyLock<Web> = LazyLock::new(|| Web::new(FILES));

/// The files as they are served.
struct Web {
    version: String,
    files: Vec<WebFile>,
}

struct WebFile {
    path: &'static str,
    kind: &'static str,
    plain: Bytes,
    /// Only if that is shorter.
    gzipped: Option<Bytes>,
}

/// Who may look: `/web/…` and the lists are public, and no cookie goes with them.
pub(super) const ANY_ORIGIN: (HeaderName, HeaderValue) =
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));

const FOR_EVER: &str = "public, max-age=31536000, immutable";
const ASK_AGAIN: &str = "no-cache";
const VERSION_PREFIX: &str = "v-";

/// Compresses and hashes the files before the first request comes.
pub(super) fn prepare() {
    LazyLock::force(&WEB);
}

/// A page by its file.
pub(super) fn page(path: &'static str, request: &HeaderMap) -> Response {
    WEB.find(path).map_or_else(nothing, |file| file.respond(request, ASK_AGAIN))
}

/// A file, with or without the version before its path.
pub(super) async fn file(Path(wanted): Path<String>, request: HeaderMap) -> Response {
    let versioned = wanted.strip_prefix(VERSION_PREFIX).and_then(|rest| rest.split_once('/'));
    let (path, cache) = match versioned {
        Some((version, path)) if version == WEB.version => (path, FOR_EVER),
        // A page of another version asks: it gets what there is, and must not keep it under that name.
        Some((_, path)) => (path, ASK_AGAIN),
        None => (wanted.as_str(), ASK_AGAIN),
    };
    WEB.find(path).map_or_else(nothing, |file| file.respond(&request, cache))
}

fn nothing() -> Response {
    (StatusCode::NOT_FOUND, "There is nothing here.\n").into_response()
}

impl Web {
    fn new(files: &[(&'static str, &'static [u8])]) -> Web {
        let mut hash = Sha256::new();
        for (path, content) in files {
            hash.update((path.len() as u64).to_le_bytes());
            hash.update(path);
            hash.update((content.len() as u64).to_le_bytes());
            hash.update(content);
        }
        let version: String = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let files = files.iter().map(|(path, content)| WebFile::new(path, content, &version)).collect();
        Web { version, files }
    }

    fn find(&self, path: &str) -> Option<&WebFile> {
        self.files.iter().find(|file| file.path == path)
    }
}

impl WebFile {
    fn new(path: &'static str, content: &'static [u8], version: &str) -> WebFile {
        let kind = kind_of(path);
        let plain = match std::str::from_utf8(content) {
            Ok(text) if kind == HTML => {
                Bytes::from(text.replace("=\"/web/", &format!("=\"/web/{VERSION_PREFIX}{version}/")))
            }
            _ => Bytes::from_static(content),
        };
        let gzipped = gzip(&plain).filter(|gzipped| gzipped.len() < plain.len());
        WebFile { path, kind, plain, gzipped }
    }

    fn respond(&self, request: &HeaderMap, cache: &'static str) -> Response {
        let accepted =
            request.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
        let takes_gzip = accepted.flat_map(|list| list.split(',')).any(takes_gzip);
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static(self.kind)),
            (header::CACHE_CONTROL, HeaderValue::from_static(cache)),
            (header::VARY, HeaderValue::from_static("accept-encoding")),
            ANY_ORIGIN,
        ];
        match &self.gzipped {
            Some(gzipped) if takes_gzip => {
                (headers, [(header::CONTENT_ENCODING, "gzip")], gzipped.clone()).into_response()
            }
            _ => (headers, self.plain.clone()).into_response(),
        }
    }
}

/// Whether an item of an `accept-encoding` header takes gzip (RFC 9110, section 12.5.3).
fn takes_gzip(item: &str) -> bool {
    let mut parts = item.split(';').map(str::trim);
    let is_gzip = parts.next().is_some_and(|coding| coding.eq_ignore_ascii_case("gzip") || coding == "*");
    let is_refused = parts.any(|parameter| {
        let weight = parameter.strip_prefix("q=").or(parameter.strip_prefix("Q="));
        weight.and_then(|weight| weight.trim().parse::<f32>().ok()).is_some_and(|weight| weight <= 0.0)
    });
    is_gzip && !is_refused
}

fn gzip(content: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

const HTML: &str = "text/html; charset=utf-8";

/// The media type, by the end of the name.
fn kind_of(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, end)| end) {
        "html" => HTML,
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml; charset=utf-8",
        "json" => "application/json",
        "wasm" => "application/wasm",
        _ => "text/plain; charset=utf-8",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(accepts: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(accepts))])
    }

    #[test]
    fn all_files_of_a_page_are_there_and_of_one_version() {
        for page in ["index.html", "lobby.html", "spectator/index.html"] {
            let text = String::from_utf8(WEB.find(page).unwrap().plain.to_vec()).unwrap();
            let links: Vec<&str> =
                text.split("=\"/web/").skip(1).map(|rest| &rest[..rest.find('"').unwrap()]).collect();
            assert!(!links.is_empty());
            for link in links {
                let path = link.strip_prefix(&format!("v-{}/", WEB.version)).unwrap();
                assert!(WEB.find(path).is_some(), "{page}: {path}");
            }
        }
    }

    #[test]
    fn what_is_compressed_is_the_same_thing() {
        use std::io::Read;
        let file = WEB.find("lobby.js").unwrap();
        let mut unpacked = Vec::new();
        let gzipped = file.gzipped.as_ref().unwrap();
        flate2::read::GzDecoder::new(gzipped.as_ref()).read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked, file.plain);
        let response = file.respond(&request("br, gzip;q=0.8"), FOR_EVER);
        assert_eq!(response.headers()[header::CONTENT_ENCODING], "gzip");
        for accepts in ["", "br", "gzip;q=0", "identity"] {
            let response = file.respond(&request(accepts), FOR_EVER);
            assert!(response.headers().get(header::CONTENT_ENCODING).is_none(), "{accepts}");
        }
    }

    #[tokio::test]
    async fn only_the_version_that_there_is_may_be_kept() {
        let cache = |path: String| async {
            let response = file(Path(path), HeaderMap::new()).await;
            response.headers().get(header::CACHE_CONTROL).cloned()
        };
        let current = format!("v-{}/lobby.js", WEB.version);
        assert_eq!(cache(current).await.unwrap(), FOR_EVER);
        assert_eq!(cache("v-0000000000000000/lobby.js".to_owned()).await.unwrap(), ASK_AGAIN);
        assert_eq!(cache("lobby.js".to_owned()).await.unwrap(), ASK_AGAIN);
        assert_eq!(cache("../Cargo.toml".to_owned()).await, None);
    }
}
