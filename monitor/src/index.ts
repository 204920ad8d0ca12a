export { createQueryApi, type QueryApi } from './promql/query-api.ts';
