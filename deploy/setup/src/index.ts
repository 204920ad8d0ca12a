export { busDatabase, databaseNames, ensureDatabases, ping } from './databases.ts';
export { readIfThere, writeWhole } from './files.ts';
export { type Reader, readerGroups } from './readers.ts';
export { makeServiceKeys, type PublicJwk, type ServiceKeys } from './service-keys.ts';
