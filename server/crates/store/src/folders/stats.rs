//! What folders hold, in numbers.

use std::collections::HashMap;

use mneme_domain::{
    Actor, FileId, SourceId,
    folder::{FileStats, FolderStats, FolderTotals},
};
use mneme_macros::boxed;

use crate::{
    Conn, Result,
    sql::{args, statements},
};

/// Folders that are told one by one at most.
const MOST_FOLDERS: i64 = 1_000;
/// Files that are told one by one at most.
const MOST_FILES: i64 = 10_000;

statements! {
    // A sum of big integers is a numeric on PostgreSQL.
    TOTALS: "select (select count(*) from sources s where s.org_id = $1), count(*),
            cast(coalesce(sum(f.file_size), 0) as bigint) from files f where f.org_id = $1";
    FOLDERS: "select s.id, s.name, count(f.id), cast(coalesce(sum(f.file_size), 0) as bigint) from sources s
        left join files f on f.org_id = s.org_id and f.source_id = s.id
        where s.org_id = $1 group by s.seq, s.id, s.name order by s.seq desc limit $2";
    FILES: "select f.source_id, f.id, s.name || '/' || f.file_name, f.file_size from files f
        join sources s on s.org_id = f.org_id and s.id = f.source_id
        where f.org_id = $1 order by s.seq desc, f.seq limit $2";
}

/// What all folders hold together, and each of them when `detailed`.
#[boxed]
pub async fn totals(c: &mut Conn, a: &Actor, detailed: bool) -> Result<FolderTotals> {
    let sums: Option<(i64, i64, i64)> = c.one(&TOTALS, args![&a.org]).await?;
    let (total_sources, total_files, total_size) = sums.unwrap_or_default();
    let mut sources = Vec::new();
    if detailed {
        let mut files: HashMap<String, Vec<FileStats>> = HashMap::new();
        let rows: Vec<(String, String, String, i64)> = c.all(&FILES, args![&a.org, MOST_FILES]).await?;
        for (folder, id, file_name, file_size) in rows {
            let stats = FileStats { file_id: FileId::trusted(id), file_name, file_size };
            files.entry(folder).or_default().push(stats);
        }
        let rows: Vec<(String, String, i64, i64)> = c.all(&FOLDERS, args![&a.org, MOST_FOLDERS]).await?;
        sources = rows
            .into_iter()
            .map(|(id, source_name, file_count, total_size)| FolderStats {
                files: files.remove(&id).unwrap_or_default(),
                source_id: SourceId::trusted(id),
                source_name,
                file_count,
                total_size,
            })
            .collect();
    }
    Ok(FolderTotals { total_sources, total_files, total_size, sources })
}
