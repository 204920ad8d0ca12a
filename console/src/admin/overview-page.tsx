import { useTitle } from '../ui/hooks.ts';
import { HealthGrid } from './health-grid.tsx';
import { LatencyBanner } from './latency-banner.tsx';
import { ThroughputPanel } from './throughput-panel.tsx';

export function OverviewPage() {
  useTitle('Overview');
  return (
    <div className="space-y-7">
      <h1 className="sr-only">Overview</h1>
      <LatencyBanner />
      <ThroughputPanel />
      <HealthGrid />
    </div>
  );
}
