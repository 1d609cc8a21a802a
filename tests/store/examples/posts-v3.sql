-- A file as version 3 wrote it; invented texts.
CREATE TABLE posts (
  row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, source TEXT NOT NULL, native_id TEXT NOT NULL, kind TEXT NOT NULL,
  title TEXT NOT NULL, text TEXT NOT NULL, url TEXT NOT NULL, author_key TEXT NOT NULL, author_type TEXT NOT NULL,
  follower_band TEXT NOT NULL, region TEXT NOT NULL, published_ms INTEGER, precision TEXT NOT NULL, published_words TEXT NOT NULL,
  counted_ms INTEGER NOT NULL, first_seen_ms INTEGER NOT NULL, likes INTEGER, comments INTEGER, reposts INTEGER, views INTEGER,
  approx INTEGER NOT NULL, engagement_ms INTEGER, parent_id TEXT NOT NULL, root_id TEXT NOT NULL, owned TEXT NOT NULL,
  rating INTEGER, complaint TEXT NOT NULL, status TEXT NOT NULL, problems TEXT NOT NULL, extras TEXT NOT NULL,
  text_hash TEXT NOT NULL, state_hash TEXT NOT NULL,
  judged_ms INTEGER, content TEXT NOT NULL DEFAULT '', grp TEXT NOT NULL DEFAULT '', is_copy INTEGER NOT NULL DEFAULT 0,
  signature INTEGER NOT NULL DEFAULT 0, words TEXT NOT NULL DEFAULT '', lease_owner TEXT NOT NULL DEFAULT '', lease_ms INTEGER NOT NULL DEFAULT 0,
  bands TEXT NOT NULL DEFAULT ''
);
CREATE INDEX posts_unjudged ON posts (counted_ms, id) WHERE judged_ms IS NULL;
CREATE INDEX posts_by_group ON posts (grp) WHERE is_copy = 1;
CREATE VIRTUAL TABLE search USING fts5(title, body, content='', tokenize="unicode61 remove_diacritics 0");
CREATE TABLE bands (place INTEGER PRIMARY KEY);
CREATE TABLE mentions (
  row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, post_row INTEGER NOT NULL REFERENCES posts (row), subject TEXT NOT NULL,
  counted_ms INTEGER NOT NULL, source TEXT NOT NULL, author_key TEXT NOT NULL, sentiment TEXT NOT NULL, acts TEXT NOT NULL,
  probabilities TEXT NOT NULL, harm_words TEXT NOT NULL, harm INTEGER NOT NULL, is_copy INTEGER NOT NULL, model TEXT NOT NULL,
  corrected_by TEXT NOT NULL, topics TEXT NOT NULL, severity TEXT NOT NULL, stage TEXT NOT NULL, details TEXT NOT NULL
);
CREATE INDEX mentions_by_time ON mentions (counted_ms, id);
CREATE INDEX mentions_by_subject ON mentions (subject, counted_ms, id, is_copy, sentiment, harm, source, author_key);
CREATE INDEX mentions_by_post ON mentions (post_row);
CREATE TABLE zones (zone INTEGER PRIMARY KEY, oldest_ms INTEGER NOT NULL, newest_ms INTEGER NOT NULL, n INTEGER NOT NULL);
CREATE TABLE hours (
  hour INTEGER NOT NULL, subject TEXT NOT NULL, sentiment TEXT NOT NULL, is_copy INTEGER NOT NULL,
  n INTEGER NOT NULL, PRIMARY KEY (hour, subject, sentiment, is_copy)
) WITHOUT ROWID;
CREATE TABLE hours_by_source (
  hour INTEGER NOT NULL, subject TEXT NOT NULL, sentiment TEXT NOT NULL, is_copy INTEGER NOT NULL, source TEXT NOT NULL,
  n INTEGER NOT NULL, PRIMARY KEY (hour, subject, sentiment, is_copy, source)
) WITHOUT ROWID;
CREATE TABLE days_by_source (
  day INTEGER NOT NULL, subject TEXT NOT NULL, sentiment TEXT NOT NULL, is_copy INTEGER NOT NULL, source TEXT NOT NULL,
  n INTEGER NOT NULL, PRIMARY KEY (day, subject, sentiment, is_copy, source)
) WITHOUT ROWID;
CREATE TABLE quarters_by_label (
  dim TEXT NOT NULL, quarter INTEGER NOT NULL, subject TEXT NOT NULL, sentiment TEXT NOT NULL, is_copy INTEGER NOT NULL,
  value TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (dim, quarter, subject, sentiment, is_copy, value)
) WITHOUT ROWID;
INSERT INTO posts VALUES (1, 'b344ded2b6bed7b28ac752cc', 'weibo', '0', 'original', '', '暖芽水壶漏水,要求退款', '', 'a0', '', '', '浙江', 1795147200000, 'unknown', '', 1795147200000, 1795147200000, NULL, NULL, NULL, NULL, 0, NULL, '', '', 'false', NULL, '', '', '', '{}', '29137d7b556a8ddfd3ef7db985fc426f', '9e7239bf30b8c40e1a3e9d0380978f41', 1795147200000, 'ok', 'b344ded2b6bed7b28ac752cc', 0, -9223372036854775808, '水壶', '', 0, '5 70000 16777221');
INSERT INTO posts VALUES (2, '0afb9158270096bdc387aa4d', 'heimao', '1', 'original', '', '暖芽水壶漏水,要求退款', '', 'a1', '', '', '浙江', 1795122000000, 'unknown', '', 1795122000000, 1795147200000, NULL, NULL, NULL, NULL, 0, NULL, '', '', 'false', NULL, '', '', '', '{}', '29137d7b556a8ddfd3ef7db985fc426f', '9e7239bf30b8c40e1a3e9d0380978f41', 1795147200000, 'ok', 'b344ded2b6bed7b28ac752cc', 1, -9223372036854775807, '水壶', '', 0, '6 70000');
INSERT INTO posts VALUES (3, '20763011e212697c9f67a332', 'weibo', '2', 'original', '标题', '暖芽加湿器很好用', '', 'a2', '', '', '浙江', 1795096800000, 'unknown', '', 1795096800000, 1795147200000, NULL, NULL, NULL, NULL, 0, NULL, '', '', 'false', NULL, '', '', '', '{}', '09b8c09cb3e13407894bdf6789f141c9', '9e7239bf30b8c40e1a3e9d0380978f41', 1795147200000, 'ok', '20763011e212697c9f67a332', 0, -9223372036854775806, '水壶', '', 0, '11');
INSERT INTO posts VALUES (4, 'd4ba05a21da70bf62b4999e8', 'heimao', '3', 'original', '', '橙屿客服不理人', '', 'a0', '', '', '浙江', 1795071600000, 'unknown', '', 1795071600000, 1795147200000, NULL, NULL, NULL, NULL, 0, NULL, '', '', 'false', NULL, '', '', '', '{}', '7901934e14fe413406819ba41c29b95d', '9e7239bf30b8c40e1a3e9d0380978f41', 1795147200000, 'ok', 'd4ba05a21da70bf62b4999e8', 0, -9223372036854775805, '水壶', '', 0, '12');
INSERT INTO posts VALUES (5, 'aa427dfa5061935f392875a2', 'weibo', '4', 'original', '', '暖芽漏电了', '', 'a1', '', '', '浙江', 1795046400000, 'unknown', '', 1795046400000, 1795147200000, NULL, NULL, NULL, NULL, 0, NULL, '', '', 'false', NULL, '', '', '', '{}', 'eb9fcaebf71e9332e03a0c8a55229ac1', '9e7239bf30b8c40e1a3e9d0380978f41', 1795147200000, 'ok', 'aa427dfa5061935f392875a2', 0, -9223372036854775804, '水壶', '', 0, '13');
INSERT INTO posts VALUES (6, 'c7d58dc52f235fc04128842f', 'heimao', '5', 'original', '', '只是路过', '', 'a2', '', '', '浙江', 1795021200000, 'unknown', '', 1795021200000, 1795147200000, NULL, NULL, NULL, NULL, 0, NULL, '', '', 'false', NULL, '', '', '', '{}', 'c6aff7dffc2799ddaa668608852ebeae', '9e7239bf30b8c40e1a3e9d0380978f41', NULL, '', '', 0, 0, '', '', 0, '');
INSERT INTO mentions VALUES (1, '6ca29e4072ab22ea75e976ef', 1, '暖芽', 1795147200000, 'weibo', 'a0', 'negative', ',complaint,churn_intent,', '{"negative":0.9}', '', 0, 0, 'm1', '', '', '', '', '{}');
INSERT INTO mentions VALUES (2, 'dd15bb45c993380f602ddd25', 2, '暖芽', 1795122000000, 'heimao', 'a1', 'negative', ',complaint,churn_intent,', '{"negative":0.9}', '', 0, 1, 'm1', '', '', '', '', '{}');
INSERT INTO mentions VALUES (3, '312499f7094d373a14d78094', 3, '暖芽', 1795096800000, 'weibo', 'a2', 'positive', '', '{"negative":0.9}', '', 0, 0, 'm1', '', '', '', '', '{}');
INSERT INTO mentions VALUES (4, '494f05d5a15a20601e0394a9', 4, '橙屿', 1795071600000, 'heimao', 'a0', 'neutral', ',complaint,churn_intent,', '{"negative":0.9}', '', 0, 0, 'm1', 'li', '', '', '', '{}');
INSERT INTO mentions VALUES (5, 'df855d9bd1dca2d6770dee73', 5, '暖芽', 1795046400000, 'weibo', 'a1', 'negative', ',complaint,churn_intent,', '{"negative":0.9}', ',漏电,', 1, 0, 'm1', '', '', '', '', '{}');
INSERT INTO bands VALUES (327681);
INSERT INTO bands VALUES (393218);
INSERT INTO bands VALUES (720899);
INSERT INTO bands VALUES (786436);
INSERT INTO bands VALUES (851973);
INSERT INTO bands VALUES (4587520001);
INSERT INTO bands VALUES (4587520002);
INSERT INTO zones VALUES (0, 1795021200000, 1795147200000, 6);
INSERT INTO hours VALUES (498624, '暖芽', 'negative', 0, 1);
INSERT INTO hours VALUES (498631, '橙屿', 'neutral', 0, 1);
INSERT INTO hours VALUES (498638, '暖芽', 'positive', 0, 1);
INSERT INTO hours VALUES (498645, '暖芽', 'negative', 1, 1);
INSERT INTO hours VALUES (498652, '暖芽', 'negative', 0, 1);
INSERT INTO hours_by_source VALUES (498624, '暖芽', 'negative', 0, 'weibo', 1);
INSERT INTO hours_by_source VALUES (498631, '橙屿', 'neutral', 0, 'heimao', 1);
INSERT INTO hours_by_source VALUES (498638, '暖芽', 'positive', 0, 'weibo', 1);
INSERT INTO hours_by_source VALUES (498645, '暖芽', 'negative', 1, 'heimao', 1);
INSERT INTO hours_by_source VALUES (498652, '暖芽', 'negative', 0, 'weibo', 1);
INSERT INTO days_by_source VALUES (20776, '暖芽', 'negative', 0, 'weibo', 1);
INSERT INTO days_by_source VALUES (20776, '暖芽', 'positive', 0, 'weibo', 1);
INSERT INTO days_by_source VALUES (20776, '橙屿', 'neutral', 0, 'heimao', 1);
INSERT INTO days_by_source VALUES (20777, '暖芽', 'negative', 0, 'weibo', 1);
INSERT INTO days_by_source VALUES (20777, '暖芽', 'negative', 1, 'heimao', 1);
INSERT INTO quarters_by_label VALUES ('act', 83105, '暖芽', 'negative', 0, 'churn_intent', 1);
INSERT INTO quarters_by_label VALUES ('act', 83105, '暖芽', 'negative', 0, 'complaint', 1);
INSERT INTO quarters_by_label VALUES ('act', 83106, '橙屿', 'neutral', 0, 'churn_intent', 1);
INSERT INTO quarters_by_label VALUES ('act', 83106, '橙屿', 'neutral', 0, 'complaint', 1);
INSERT INTO quarters_by_label VALUES ('act', 83107, '暖芽', 'positive', 0, '', 1);
INSERT INTO quarters_by_label VALUES ('act', 83108, '暖芽', 'negative', 1, 'churn_intent', 1);
INSERT INTO quarters_by_label VALUES ('act', 83108, '暖芽', 'negative', 1, 'complaint', 1);
INSERT INTO quarters_by_label VALUES ('act', 83110, '暖芽', 'negative', 0, 'churn_intent', 1);
INSERT INTO quarters_by_label VALUES ('act', 83110, '暖芽', 'negative', 0, 'complaint', 1);
INSERT INTO quarters_by_label VALUES ('severity', 83105, '暖芽', 'negative', 0, '', 1);
INSERT INTO quarters_by_label VALUES ('severity', 83106, '橙屿', 'neutral', 0, '', 1);
INSERT INTO quarters_by_label VALUES ('severity', 83107, '暖芽', 'positive', 0, '', 1);
INSERT INTO quarters_by_label VALUES ('severity', 83108, '暖芽', 'negative', 1, '', 1);
INSERT INTO quarters_by_label VALUES ('severity', 83110, '暖芽', 'negative', 0, '', 1);
INSERT INTO quarters_by_label VALUES ('stage', 83105, '暖芽', 'negative', 0, '', 1);
INSERT INTO quarters_by_label VALUES ('stage', 83106, '橙屿', 'neutral', 0, '', 1);
INSERT INTO quarters_by_label VALUES ('stage', 83107, '暖芽', 'positive', 0, '', 1);
INSERT INTO quarters_by_label VALUES ('stage', 83108, '暖芽', 'negative', 1, '', 1);
INSERT INTO quarters_by_label VALUES ('stage', 83110, '暖芽', 'negative', 0, '', 1);
INSERT INTO quarters_by_label VALUES ('topic', 83105, '暖芽', 'negative', 0, '', 1);
INSERT INTO quarters_by_label VALUES ('topic', 83106, '橙屿', 'neutral', 0, '', 1);
INSERT INTO quarters_by_label VALUES ('topic', 83107, '暖芽', 'positive', 0, '', 1);
INSERT INTO quarters_by_label VALUES ('topic', 83108, '暖芽', 'negative', 1, '', 1);
INSERT INTO quarters_by_label VALUES ('topic', 83110, '暖芽', 'negative', 0, '', 1);
INSERT INTO search (rowid, title, body) VALUES (1, '', '暖 芽 水 壶 漏 水  要 求 退 款');
INSERT INTO search (rowid, title, body) VALUES (2, '', '暖 芽 水 壶 漏 水  要 求 退 款');
INSERT INTO search (rowid, title, body) VALUES (3, '标 题', '暖 芽 加 湿 器 很 好 用');
INSERT INTO search (rowid, title, body) VALUES (4, '', '橙 屿 客 服 不 理 人');
INSERT INTO search (rowid, title, body) VALUES (5, '', '暖 芽 漏 电 了');
INSERT INTO search (rowid, title, body) VALUES (6, '', '只 是 路 过');
PRAGMA user_version = 3;
