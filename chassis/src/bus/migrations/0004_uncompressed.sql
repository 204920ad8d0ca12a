-- To compress the events costs more processor time than to write all of them.
ALTER TABLE messages ALTER COLUMN events SET STORAGE EXTERNAL;
