export { seededRandom } from '../seeded-random.ts';
export { busConformance } from './bus-conformance.ts';
export { type BrokerUnderTest, conformancePolicy } from './bus-under-test.ts';
export { type CacheUnderTest, cacheConformance } from './cache-conformance.ts';
export { freePort, startTestPostgres, type TestPostgres } from './embedded-postgres.ts';
export {
  differences,
  metricsUnderTest,
  provoke,
  readMetrics,
  sumOf,
} from './exposition.ts';
export { outboxConformance, type StoreUnderTest } from './outbox-conformance.ts';
export { type SimulatedEnvironment, simulatedEnvironment } from './simulated-environment.ts';
export {
  clientAs,
  startService,
  type TestService,
  type TestServiceOptions,
} from './start-service.ts';
export { type ProxyMode, startTcpProxy, type TcpProxy } from './tcp-proxy.ts';
export { asAdmin, type FreshDatabase, freshDatabase, testPostgres } from './test-postgres.ts';
export { createIssuer, type TestClaims, type TestIssuer } from './token-issuer.ts';
export { until } from './until.ts';
