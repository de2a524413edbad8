//! At which hours is a rule open?

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, ToSpan};

use super::Malformed;

/// When a rule is open, in the local time of one zone.
///
/// Asked at an instant, it looks at the clock on the wall there, so a change to daylight saving time moves with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    zone: TimeZone,
    weekly: Vec<Weekly>,
    open: Vec<Special>,
    closed: Vec<Dates>,
}

/// Hours of a day in minutes since midnight. One that ends at or before its start ends on the day after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Hours {
    from: u16,
    to: u16,
}

/// Hours on some days of each week: `mon-fri 09:00-17:00`, `sat,sun 22:00-06:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Weekly {
    /// One bit a day, Monday the lowest.
    days: u8,
    hours: Hours,
}

/// Hours on one date, in place of those of its weekday: `2026-12-24 09:00-12:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Special {
    date: Date,
    hours: Hours,
}

/// A date, or the dates from one to another: `2026-12-25`, `2026-12-25..2027-01-01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dates {
    first: Date,
    last: Date,
}

/// Minutes of a day.
const DAY: u16 = 24 * 60;
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const EVERY_DAY: u8 = 0b111_1111;

impl Schedule {
    /// A schedule in a zone of the IANA database. Without weekly hours it is open at all hours but those taken away.
    ///
    /// # Errors
    /// When the zone is not known.
    pub fn new(
        zone: &str,
        weekly: Option<Vec<Weekly>>,
        open: Vec<Special>,
        closed: Vec<Dates>,
    ) -> Result<Self, Malformed> {
        // The database in the program, not the machine's: the same schedule everywhere.
        let zone = TimeZoneDatabase::bundled().get(zone).map_err(|_| {
            Malformed::new(format!("`{zone}` is no zone of the IANA database; write one such as `Europe/Berlin`"))
        })?;
        let always = || vec![Weekly { days: EVERY_DAY, hours: Hours { from: 0, to: DAY } }];
        let mut new = Self { zone, weekly: weekly.unwrap_or_else(always), open, closed };
        new.weekly.sort_unstable();
        new.weekly.dedup();
        new.open.sort_unstable();
        new.open.dedup();
        new.closed.sort_unstable();
        new.closed.dedup();
        Ok(new)
    }

    /// The zone.
    pub(crate) fn time_zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The name of the zone.
    pub fn zone(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// The weekly hours as text.
    pub fn weekly(&self) -> Vec<String> {
        self.weekly.iter().map(Weekly::to_string).collect()
    }

    /// The hours of single dates as text.
    pub fn open(&self) -> Vec<String> {
        self.open.iter().map(Special::to_string).collect()
    }

    /// The dates taken away, as text.
    pub fn closed(&self) -> Vec<String> {
        self.closed.iter().map(Dates::to_string).collect()
    }

    /// Whether the schedule is open at an instant. Does not allocate.
    pub fn is_open(&self, at: Timestamp) -> bool {
        let local = self.zone.to_datetime(at);
        let minute = u16::try_from(i32::from(local.hour()) * 60 + i32::from(local.minute())).unwrap_or(0);
        let today = self.hours_of(local.date()).any(|hours| match hours.overnight() {
            false => (hours.from..hours.to).contains(&minute),
            true => minute >= hours.from,
        });
        // Hours over midnight belong to the day on which they begin.
        today
            || local
                .date()
                .yesterday()
                .is_ok_and(|before| self.hours_of(before).any(|hours| hours.overnight() && minute < hours.to))
    }

    fn hours_of(&self, date: Date) -> impl Iterator<Item = Hours> + '_ {
        let closed = self.closed.iter().any(|dates| (dates.first..=dates.last).contains(&date));
        let special = self.open.iter().any(|special| special.date == date);
        let day = 1 << date.weekday().to_monday_zero_offset();
        let weekly = self.weekly.iter().filter(move |weekly| !closed && !special && weekly.days & day != 0);
        let open = self.open.iter().filter(move |open| open.date == date);
        weekly.map(|weekly| weekly.hours).chain(open.map(|open| open.hours))
    }

    /// Instants at which the schedule may open or close, from a moment on for some days: between two of them it
    /// does not change.
    pub(crate) fn edges(&self, from: Timestamp, days: i32) -> Vec<Timestamp> {
        let mut edges = vec![from];
        let Ok(mut date) = self.zone.to_datetime(from).date().yesterday() else { return edges };
        for _ in 0..days + 2 {
            for Hours { from, to } in self.hours_of(date) {
                let ends = if to <= from { to + DAY } else { to };
                for minute in [from, ends] {
                    let local = date.at(0, 0, 0, 0).checked_add(i64::from(minute).minutes());
                    edges.extend(local.into_iter().flat_map(|local| self.instants(local)));
                }
            }
            let Ok(next) = date.tomorrow() else { break };
            date = next;
        }
        // When the clocks change, hours may begin or end without their own minute being on any clock.
        let until = from.checked_add((i64::from(days) * 24).hours()).unwrap_or(Timestamp::MAX);
        edges.extend(self.zone.following(from).map(|change| change.timestamp()).take_while(|at| *at <= until));
        edges.retain(|at| (from..=until).contains(at));
        edges
    }

    /// The instants at which a clock there shows a time: one, or two when it is put back.
    fn instants(&self, local: DateTime) -> Vec<Timestamp> {
        let ambiguous = self.zone.to_ambiguous_timestamp(local);
        [ambiguous.earlier(), ambiguous.later()].into_iter().flatten().collect()
    }
}

impl Hours {
    fn overnight(self) -> bool {
        self.to <= self.from
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weekly = if self.weekly.is_empty() { "on no weekday".to_owned() } else { self.weekly().join(", ") };
        write!(f, "{weekly}")?;
        if !self.open.is_empty() {
            write!(f, ", and {}", self.open().join(", "))?;
        }
        if !self.closed.is_empty() {
            write!(f, ", but not {}", self.closed().join(", "))?;
        }
        write!(f, " ({})", self.zone())
    }
}

fn malformed_hours() -> Malformed {
    Malformed::new("hours are `HH:MM-HH:MM`, such as `09:00-17:00`, or `22:00-06:00` over midnight")
}

impl FromStr for Hours {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let minute = |text: &str| -> Option<u16> {
            let (hour, minute) = text.trim().split_once(':')?;
            if hour.len() != 2 || minute.len() != 2 {
                return None;
            }
            let (hour, minute) = (hour.parse::<u16>().ok()?, minute.parse::<u16>().ok()?);
            (minute < 60 && hour * 60 + minute <= DAY).then_some(hour * 60 + minute)
        };
        let (from, to) = text.trim().split_once('-').ok_or_else(malformed_hours)?;
        let (from, to) = (minute(from).ok_or_else(malformed_hours)?, minute(to).ok_or_else(malformed_hours)?);
        if from == to || from == DAY {
            return Err(Malformed::new("these hours are empty; a whole day is `00:00-24:00`"));
        }
        Ok(Self { from, to })
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}-{:02}:{:02}", self.from / 60, self.from % 60, self.to / 60, self.to % 60)
    }
}

impl FromStr for Weekly {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed = || {
            Malformed::new("weekly hours are days and hours, such as `mon-fri 09:00-17:00` or `sat,sun 10:00-14:00`")
        };
        let (days, hours) = text.trim().split_once(' ').ok_or_else(malformed)?;
        let day = |name: &str| DAYS.iter().position(|day| day.eq_ignore_ascii_case(name.trim())).ok_or_else(malformed);
        let mut mask = 0_u8;
        for part in days.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (mut at, last) = (day(first)?, day(last)?);
            loop {
                mask |= 1 << at;
                if at == last {
                    break;
                }
                // `fri-mon` goes over the week's end.
                at = (at + 1) % DAYS.len();
            }
        }
        Ok(Self { days: mask, hours: hours.parse()? })
    }
}

impl fmt::Display for Weekly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = Vec::new();
        let mut at = 0;
        while at < DAYS.len() {
            let run = (at..DAYS.len()).take_while(|day| self.days & (1 << day) != 0).count();
            match run {
                0 => at += 1,
                1 => parts.push(DAYS[at].to_owned()),
                _ => parts.push(format!("{}-{}", DAYS[at], DAYS[at + run - 1])),
            }
            at += run;
        }
        write!(f, "{} {}", parts.join(","), self.hours)
    }
}

fn date(text: &str) -> Result<Date, Malformed> {
    text.trim().parse().map_err(|_| Malformed::new("a date is `YYYY-MM-DD`, such as `2026-12-25`"))
}

impl FromStr for Special {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed = || Malformed::new("hours of a date are such as `2026-12-24 09:00-12:00`");
        let (day, hours) = text.trim().split_once(' ').ok_or_else(malformed)?;
        Ok(Self { date: date(day)?, hours: hours.parse()? })
    }
}

impl fmt::Display for Special {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.date, self.hours)
    }
}

impl FromStr for Dates {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let (first, last) = text.split_once("..").unwrap_or((text, text));
        let (first, last) = (date(first)?, date(last)?);
        if first > last {
            return Err(Malformed::new("the dates run backwards"));
        }
        Ok(Self { first, last })
    }
}

impl fmt::Display for Dates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.first == self.last {
            true => write!(f, "{}", self.first),
            false => write!(f, "{}..{}", self.first, self.last),
        }
    }
}

/// The three letters of a weekday, as schedules write it.
pub(crate) fn day_name(day: Weekday) -> &'static str {
    DAYS.get(usize::try_from(day.to_monday_zero_offset()).unwrap_or(0)).copied().unwrap_or("mon")
}

#[cfg(test)]
mod tests {
    use super::super::moment;
    use super::*;

    fn schedule(hours: &[&str], open: &[&str], closed: &[&str]) -> Schedule {
        let weekly = hours.iter().map(|text| text.parse().unwrap()).collect();
        let open = open.iter().map(|text| text.parse().unwrap()).collect();
        let closed = closed.iter().map(|text| text.parse().unwrap()).collect();
        Schedule::new("Europe/Berlin", Some(weekly), open, closed).unwrap()
    }

    fn open(schedule: &Schedule, local: &str) -> bool {
        schedule.is_open(moment(&format!("{local}[Europe/Berlin]")).unwrap())
    }

    #[test]
    fn weekly_hours_begin_and_end_on_the_minute() {
        let office = schedule(&["mon-fri 09:00-17:00"], &["2026-12-24 09:00-12:00"], &["2026-12-25..2026-12-26"]);
        for (at, is) in [
            ("2026-06-03T09:00", true),
            ("2026-06-03T08:59:59", false),
            ("2026-06-03T16:59:59", true),
            ("2026-06-03T17:00", false),
            ("2026-06-06T12:00", false),
            ("2026-12-24T11:59", true),
            ("2026-12-24T12:00", false),
            ("2026-12-25T12:00", false),
        ] {
            assert_eq!(open(&office, at), is, "{at}");
        }
    }

    #[test]
    fn hours_over_midnight_belong_to_their_first_day() {
        let night = schedule(&["fri 22:00-06:00"], &[], &["2026-06-06"]);
        assert!(open(&night, "2026-06-05T23:00") && open(&night, "2026-06-06T05:59"));
        assert!(!open(&night, "2026-06-06T06:00") && !open(&night, "2026-06-05T05:00"));
    }

    #[test]
    fn daylight_saving_moves_with_the_wall_clock() {
        let office = schedule(&["mon-sun 09:00-17:00"], &[], &[]);
        // 07:30 UTC is 08:30 in winter and 09:30 in summer.
        assert!(!office.is_open(moment("2026-03-28T07:30:00Z").unwrap()));
        assert!(office.is_open(moment("2026-03-29T07:30:00Z").unwrap()));
        // 02:30 happens twice when the clocks are put back, and not at all when they are put forward.
        let twice = schedule(&["sun 02:00-03:00"], &[], &[]);
        assert!(twice.is_open(moment("2026-10-25T00:30:00Z").unwrap()));
        assert!(twice.is_open(moment("2026-10-25T01:30:00Z").unwrap()));
        assert!(!twice.is_open(moment("2026-03-29T00:30:00Z").unwrap()));
        assert!(!twice.is_open(moment("2026-03-29T01:00:00Z").unwrap()));
    }

    #[test]
    fn between_two_edges_nothing_changes() {
        let all =
            schedule(&["mon-fri 09:00-17:00", "sat 22:00-06:00", "sun 02:15-02:45"], &["2026-10-25 00:00-24:00"], &[]);
        let start = moment("2026-10-20T00:00:00Z").unwrap();
        let mut edges = all.edges(start, 10);
        edges.sort_unstable();
        let mut at = start;
        while at < start.checked_add(240.hours()).unwrap() {
            let edge = edges.iter().rev().find(|edge| **edge <= at).unwrap();
            assert_eq!(all.is_open(*edge), all.is_open(at), "{at}");
            at = at.checked_add(5.minutes()).unwrap();
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        for text in ["mon-fri 09:00-17:00", "sat-sun 22:00-06:00", "mon,wed,fri 00:00-24:00"] {
            assert_eq!(text.parse::<Weekly>().unwrap().to_string(), text);
        }
        assert_eq!("fri-mon 09:00-10:00".parse::<Weekly>().unwrap().to_string(), "mon,fri-sun 09:00-10:00");
        for bad in ["mon", "mon 9-17", "mon 09:00-09:00", "someday 09:00-17:00", "mon 25:00-26:00", "mon 24:00-06:00"] {
            assert!(bad.parse::<Weekly>().is_err(), "{bad}");
        }
        assert!("2026-02-30".parse::<Dates>().is_err() && "2026-12-26..2026-12-25".parse::<Dates>().is_err());
        assert!(Schedule::new("Europe/Atlantis", None, Vec::new(), Vec::new()).is_err());
    }
}
