//! How is a long list cut into pages?

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// Where a page stands in its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PageInfo {
    /// This page, from 1.
    pub current_page: u32,
    /// Items on a full page.
    pub per_page: u32,
    /// The last page; 1 for an empty list.
    pub last_page: u32,
    /// Items in the whole list.
    pub total: u64,
}

/// One page of a list.
///
/// Read from `{pageInfo, data}`, from `{pagination, data}` or from a bare array.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// Where the page stands; `None` when the far side does not say.
    pub page_info: Option<PageInfo>,
    /// The items.
    pub data: Vec<T>,
    /// Which version of the object `strowger` the far side honours; none for a far side that is not ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strowger: Option<u32>,
}

impl<T> Page<T> {
    /// Cuts one page out of all the items.
    pub fn cut(items: Vec<T>, page: u32, per_page: u32) -> Self {
        let total = items.len() as u64;
        let skip = (page.max(1) as usize - 1).saturating_mul(per_page.max(1) as usize);
        let data = items.into_iter().skip(skip).take(per_page.max(1) as usize).collect();
        Self::part(data, page, per_page, total)
    }

    /// One page that was cut out of `total` items already.
    pub fn part(data: Vec<T>, page: u32, per_page: u32, total: u64) -> Self {
        let (page, per_page) = (page.max(1), per_page.max(1));
        let last_page = u32::try_from(total.div_ceil(u64::from(per_page)).max(1)).unwrap_or(u32::MAX);
        let page_info = Some(PageInfo { current_page: page, per_page, last_page, total });
        Self { page_info, data, strowger: Some(super::EXTENSION) }
    }
}

/// Where a page stands, in either of two spellings, or in both.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LoosePageInfo {
    current_page: Option<u32>,
    page: Option<u32>,
    per_page: Option<u32>,
    last_page: Option<u32>,
    total_pages: Option<u32>,
    total: Option<u64>,
}

impl LoosePageInfo {
    /// None where it does not say how far the list goes.
    fn strict(self) -> Option<PageInfo> {
        Some(PageInfo {
            current_page: self.current_page.or(self.page).unwrap_or(1),
            per_page: self.per_page.unwrap_or_default(),
            last_page: self.last_page.or(self.total_pages)?,
            total: self.total?,
        })
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Page<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Envelope<T> {
            page_info: Option<LoosePageInfo>,
            pagination: Option<LoosePageInfo>,
            data: Vec<T>,
            strowger: Option<u32>,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either<T> {
            Envelope(Envelope<T>),
            Bare(Vec<T>),
        }
        Ok(match Either::deserialize(deserializer)? {
            Either::Envelope(Envelope { page_info, pagination, data, strowger }) => {
                Self { page_info: page_info.or(pagination).and_then(LoosePageInfo::strict), data, strowger }
            }
            Either::Bare(data) => Self { page_info: None, data, strowger: None },
        })
    }
}

/// One object under `data`, as calls and dispatches are returned.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Enveloped<T> {
    /// What was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The object.
    pub data: T,
}

impl<T> Enveloped<T> {
    /// The object alone.
    pub fn of(data: T) -> Self {
        Self { message: None, data }
    }

    /// The object, and what was done with it.
    pub fn said(message: impl Into<String>, data: T) -> Self {
        Self { message: Some(message.into()), data }
    }
}

/// A reply that says only that it was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// What was done.
    #[serde(default)]
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_cover_the_list_once() {
        let pages: Vec<Page<u32>> = (1..=4).map(|page| Page::cut((0..10).collect(), page, 3)).collect();
        let all: Vec<u32> = pages.iter().flat_map(|page| page.data.clone()).collect();
        assert_eq!(all, (0..10).collect::<Vec<_>>());
        assert!(pages.iter().all(|page| page.page_info.is_some_and(|info| info.last_page == 4 && info.total == 10)));
        assert!(Page::cut(vec![1], u32::MAX, u32::MAX).data.is_empty());
    }

    #[test]
    fn every_known_envelope_is_read() {
        let bare: Page<u32> = serde_json::from_str("[1]").unwrap();
        let sdk: Page<u32> =
            serde_json::from_str(r#"{"pagination":{"page":1,"perPage":1,"totalPages":1,"total":1},"data":[1]}"#)
                .unwrap();
        assert_eq!((bare.data.len(), sdk.page_info.map(|info| info.total)), (1, Some(1)));
        let both =
            r#"{"pageInfo":{"page":2,"currentPage":2,"lastPage":3,"totalPages":3,"total":5},"data":[1],"new":0}"#;
        let both: Page<u32> = serde_json::from_str(both).unwrap();
        assert_eq!(both.page_info, Some(PageInfo { current_page: 2, per_page: 0, last_page: 3, total: 5 }));
        let vague: Page<u32> = serde_json::from_str(r#"{"pageInfo":{"currentPage":1},"data":[1]}"#).unwrap();
        assert_eq!(vague, Page { page_info: None, data: vec![1], strowger: None });
    }
}
