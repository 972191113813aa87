CREATE TABLE a (id int PRIMARY KEY, v text);
INSERT INTO a SELECT g, 'row ' || g FROM generate_series(1, 30) g;
CREATE TABLE b (note text);
CREATE SEQUENCE c;
SELECT lo_from_bytea(777, 'seven');
