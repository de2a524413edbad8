//! The client against servers that misbehave.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use strowger::api::{
    Call, CreateRule, DeleteRule, GetNumber, Handle, ListNumbers, NewRule, NumbersQuery, ReleaseNumber, RulePatch,
    UpdateRule, Word,
};
use strowger::client::{Auth, Client, ClientError};
use strowger::model::{Direction, Secret};

/// What a faulty server does with one request.
#[derive(Clone)]
pub enum Step {
    /// Answers with a status, further headers, and a body.
    Answer(u16, &'static str, &'static str),
    /// Answers 200 with a body that was made for it.
    Made(String),
    /// Answers nothing, and keeps the connection open until the client hangs up.
    Silence,
    /// Answers something that is not HTTP.
    Noise,
    /// Breaks off in the middle of a body.
    Half,
    /// Hangs up without an answer.
    Nothing,
}
use Step::{Answer, Half, Made, Noise, Nothing, Silence};

pub struct Faulty {
    pub base: String,
    pub seen: Arc<Mutex<Vec<String>>>,
}

impl Faulty {
    /// A server that takes these steps, one a request; then its port is closed.
    pub fn new(steps: &[Step]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (log, steps) = (seen.clone(), steps.to_vec());
        std::thread::spawn(move || {
            for step in steps {
                let (mut socket, _) = listener.accept().unwrap();
                let request = read(&mut socket);
                log.lock().unwrap().push(request);
                let text = match step {
                    Answer(status, headers, body) => format!(
                        "HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
                        body.len()
                    ),
                    Made(body) => {
                        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
                    }
                    Noise => "SSH-2.0-OpenSSH_9.9\r\n".to_owned(),
                    Silence => {
                        let _ = socket.read(&mut [0]);
                        continue;
                    }
                    Half => "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"pageInfo\":".to_owned(),
                    Nothing => String::new(),
                };
                // The client may have hung up already.
                let _ = socket.write_all(text.as_bytes());
            }
        });
        Self { base, seen }
    }

    pub fn client(&self) -> Client {
        Client::new(&self.base, Auth::Token(Secret::new("eyJ0b2tlbi1vZi10aGUtdGVzdA")))
            .unwrap()
            .with_backoff(Duration::from_millis(1))
    }

    pub fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

/// Reads one whole request.
pub fn read(socket: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    loop {
        let count = socket.read(&mut buffer).unwrap();
        text.push_str(&String::from_utf8_lossy(&buffer[..count]));
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            if count == 0 {
                return text;
            }
            continue;
        };
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok())
            .unwrap_or(0_usize);
        if count == 0 || body.len() >= length {
            return text;
        }
    }
}

fn list() -> Call<ListNumbers> {
    Call::with_query(NumbersQuery::default())
}

fn create() -> Call<CreateRule> {
    let fields = RulePatch { name: Some("n".into()), ..RulePatch::default() };
    Call::with_body(NewRule { kind: Word::Known(Direction::Inbound), fields })
}

fn change() -> Call<UpdateRule> {
    Call::of_with_body("rr_1", RulePatch { name: Some("n".into()), ..RulePatch::default() })
}

const EMPTY: Step = Answer(200, "", r#"{"data":[]}"#);
const RULE: Step = Answer(201, "", r#"{"id":"rr_1","type":"inbound"}"#);

#[tokio::test]
async fn too_many_requests_are_waited_out_by_every_call() {
    let busy = Answer(429, "retry-after: 0\r\n", r#"{"message":"slow down"}"#);
    let server = Faulty::new(&[busy.clone(), busy.clone(), EMPTY]);
    server.client().handle(list()).await.unwrap();
    let server = Faulty::new(&[busy.clone(), RULE]);
    server.client().handle(create()).await.unwrap();
    assert_eq!(server.count(), 2);
    let server = Faulty::new(&vec![busy; 6]);
    let why = server.client().handle(create()).await.unwrap_err();
    assert_eq!((server.count(), why.refusal().map(|refusal| refusal.status)), (4, Some(429)));
    assert!(why.to_string().contains("slow down") && !why.is_unsure(), "{why}");
}

#[tokio::test]
async fn too_many_requests_are_waited_out_whatever_is_said_of_the_wait() {
    for headers in ["", "retry-after: Wed, 21 Oct 2015 07:28:00 GMT\r\n", "retry-after: soon\r\n"] {
        let busy = Answer(429, headers, "");
        let server = Faulty::new(&[busy.clone(), busy, RULE]);
        server.client().handle(create()).await.unwrap();
        assert_eq!(server.count(), 3, "{headers}");
    }
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_not_waited_for() {
    let server = Faulty::new(&[Silence, EMPTY]);
    let client = server.client().with_timeout(Duration::from_millis(200));
    client.handle(list()).await.unwrap();
    assert_eq!(server.count(), 2);
    let server = Faulty::new(&[Silence, RULE]);
    let why = server.client().with_timeout(Duration::from_millis(200)).handle(create()).await.unwrap_err();
    assert!(matches!(why, ClientError::TimedOut { .. }) && why.is_unsure(), "{why}");
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn what_is_not_implemented_is_asked_for_once() {
    let server = Faulty::new(&[Answer(501, "", r#"{"message":"no agents here"}"#), EMPTY]);
    let why = server.client().handle(list()).await.unwrap_err();
    assert!(server.count() == 1 && !why.is_unsure() && why.to_string().contains("no agents here"), "{why}");
}

#[tokio::test]
async fn an_error_names_the_request_as_the_far_side_does() {
    let server = Faulty::new(&[Answer(400, "x-amzn-requestid: theirs-1\r\n", r#"{"message":"no"}"#)]);
    let why = server.client().handle(create()).await.unwrap_err().to_string();
    assert!(why.ends_with("(request theirs-1)"), "{why}");
    // Where it says none, the id that was sent with every attempt is shown.
    let failed = Answer(500, "", "");
    let server = Faulty::new(&vec![failed; 4]);
    let why = server.client().handle(list()).await.unwrap_err().to_string();
    let seen = server.seen.lock().unwrap().clone();
    let ids: Vec<&str> = seen
        .iter()
        .map(|request| request.lines().find_map(|line| line.strip_prefix("x-request-id: ")).unwrap())
        .collect();
    assert!(ids.len() == 4 && ids.iter().all(|id| *id == ids[0] && id.len() == 36), "{ids:?}");
    assert!(why.ends_with(&format!("(request {})", ids[0])), "{why}");
}

#[tokio::test]
async fn a_failure_is_repeated_only_where_that_is_safe() {
    let failed = Answer(500, "", r#""boom""#);
    let server = Faulty::new(&[failed.clone(), failed.clone(), failed.clone(), EMPTY]);
    server.client().handle(list()).await.unwrap();
    assert_eq!(server.count(), 4);
    let server = Faulty::new(&[failed.clone(), RULE]);
    server.client().handle(change()).await.unwrap();
    let server = Faulty::new(&[Nothing, Answer(200, "", "")]);
    server.client().handle(Call::<ReleaseNumber>::of("pn_1")).await.unwrap();
    let server = Faulty::new(&[failed, RULE]);
    let why = server.client().handle(create()).await.unwrap_err();
    assert_eq!(server.count(), 1);
    assert!(why.is_unsure() && why.to_string().contains("boom"), "{why}");
}

#[tokio::test]
async fn a_lost_answer_is_not_taken_for_a_refusal() {
    for step in [Half, Nothing, Noise] {
        let server = Faulty::new(&[step.clone(), step.clone(), EMPTY]);
        server.client().handle(list()).await.unwrap();
        assert_eq!(server.count(), 3);
        let server = Faulty::new(&[step, RULE]);
        let why = server.client().handle(create()).await.unwrap_err();
        assert_eq!(server.count(), 1);
        assert!(matches!(why, ClientError::Lost { .. }) && why.is_unsure(), "{why}");
        assert!(why.to_string().contains("plan again"), "{why}");
    }
}

#[tokio::test]
async fn an_answer_of_another_kind_is_described() {
    let server = Faulty::new(&[Answer(200, "", "<html>hello there SuperSecretTokenValue1234</html>")]);
    let why = server.client().handle(list()).await.unwrap_err();
    assert!(matches!(why, ClientError::Garbage { status: 200, .. }), "{why}");
    let text = why.to_string();
    assert!(text.contains("GET /v2/sip/phone-numbers") && text.contains("hello there"), "{text}");
    assert!(!text.contains("SuperSecret"), "{text}");
    let server = Faulty::new(&[Answer(200, "", r#"{"phoneNumber":{"e164":"+1"},"pin":"1234"}"#)]);
    let text = server.client().handle(Call::<GetNumber>::of("+15550100001")).await.unwrap_err().to_string();
    assert!(text.contains("missing field `phoneNumberId`") && text.contains("keys phoneNumber, pin"), "{text}");
    assert!(!text.contains("1234") && !text.contains("15550100001"), "{text}");
    let page = "content-type: text/html\r\n";
    let server = Faulty::new(&[Answer(502, page, "<html>Bad gateway</html>"), RULE]);
    let why = server.client().handle(create()).await.unwrap_err();
    assert!(why.is_unsure() && why.to_string().contains("502: the answer gives no reason"), "{why}");
    // What it is counts, not what it is called.
    let server = Faulty::new(&[Answer(200, page, r#"{"data":[],"new":true}"#)]);
    server.client().handle(list()).await.unwrap();
    let server = Faulty::new(&[Answer(302, "location: http://example.com/\r\n", "")]);
    let why = server.client().handle(list()).await.unwrap_err();
    assert!(why.to_string().contains("redirects are not followed"), "{why}");
}

#[tokio::test]
async fn any_success_is_a_success() {
    let server = Faulty::new(&[Answer(204, "", "")]);
    let reply = server.client().handle(Call::<DeleteRule>::of("rr_1")).await.unwrap();
    assert_eq!((reply.message.as_str(), reply.rule_id), ("", None));
    let server = Faulty::new(&[Answer(202, "", r#"[]"#)]);
    assert_eq!(server.client().handle(list()).await.unwrap().data, []);
    let server = Faulty::new(&[Answer(402, "", r#"{"error":"gone"}"#)]);
    assert!(server.client().handle(Call::<DeleteRule>::of("rr_1")).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_refused_connection_asks_for_the_daemon() {
    // Bound and closed again: nobody listens here.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let client = Client::new(&format!("http://127.0.0.1:{port}"), Auth::Token(Secret::new("t")))
        .unwrap()
        .with_backoff(Duration::from_millis(1));
    let why = client.handle(create()).await.unwrap_err();
    assert!(matches!(why, ClientError::Unreachable { .. }) && !why.is_unsure(), "{why}");
    let text = why.to_string();
    assert!(text.contains("strowger daemon") && text.contains("refused") && text.contains("POST /v2/sip/"), "{text}");
}

#[tokio::test]
async fn the_wire_is_as_the_contract_says() {
    let server = Faulty::new(&[EMPTY, Answer(200, "", "{}"), RULE, RULE]);
    let client = server.client();
    client.handle(list()).await.unwrap();
    client.handle(Call::<ReleaseNumber>::of("pn 1")).await.unwrap();
    client.handle(create()).await.unwrap();
    let query = NumbersQuery { search: Some("+1".into()), page: Some(2), per_page: None };
    let _ = client.handle(Call::<ListNumbers>::with_query(query)).await;
    let seen = server.seen.lock().unwrap().clone();
    assert!(seen[0].starts_with("GET /v2/sip/phone-numbers HTTP/1.1"), "{}", seen[0]);
    assert!(seen[0].contains("authorization: eyJ") && !seen[0].contains("content-type"), "{}", seen[0]);
    assert!(seen[1].starts_with("POST /v2/sip/phone-numbers/pn%201/release HTTP/1.1"), "{}", seen[1]);
    assert!(seen[1].ends_with("\r\n\r\n"), "{}", seen[1]);
    assert!(seen[2].contains("content-type: application/json"), "{}", seen[2]);
    assert!(seen[2].ends_with(r#"{"type":"inbound","name":"n"}"#), "{}", seen[2]);
    assert!(seen[3].starts_with("GET /v2/sip/phone-numbers?page=2&search=%2B1 "), "{}", seen[3]);
}
