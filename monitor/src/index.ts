export { measureTelemetry, type TelemetryMeasurement } from './measure/telemetry.ts';
export { evaluateInstant } from './promql/evaluate.ts';
export { createQueryApi, type QueryApi } from './promql/query-api.ts';
export { openTelemetryStore } from './store/telemetry-store.ts';
