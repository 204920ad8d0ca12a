export { evaluateInstant } from './promql/evaluate.ts';
export { createQueryApi, type QueryApi } from './promql/query-api.ts';
