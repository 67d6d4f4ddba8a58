//! Renders typed data to patches. The only modules of the blog that contain selectors.

mod comments;
mod list;

pub(crate) use comments::{
    CommentView, all_comments, changed_comment, comment_removed, new_comment,
};
pub(crate) use list::{next_articles, search_results};
