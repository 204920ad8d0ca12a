// A thin shell around uPlot: a canvas of the parent's size, in the theme's colours.

import 'uplot/dist/uPlot.min.css';
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import type { Columns } from '../domain/throughput.ts';
import { isDark } from '../shell/theme.tsx';
import { useObservable } from '../ui/hooks.ts';

type Series = readonly { readonly label: string; readonly color: string }[];

export function LineChart({
  label,
  series,
  data,
}: {
  label: string;
  series: Series;
  data: Columns;
}) {
  const holder = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(null);
  const newest = useRef(data);
  const dark = useObservable(isDark);

  // A canvas knows nothing of CSS variables: another theme is another chart.
  // biome-ignore lint/correctness/useExhaustiveDependencies: `dark` stands for the colours it reads
  useEffect(() => {
    const parent = holder.current;
    if (!parent) return;
    const plot = new uPlot(optionsOf(parent, series), newest.current, parent);
    chart.current = plot;
    const resize = new ResizeObserver(() => {
      plot.setSize({ width: parent.clientWidth, height: parent.clientHeight });
    });
    resize.observe(parent);
    return () => {
      resize.disconnect();
      plot.destroy();
      chart.current = null;
    };
  }, [dark, series]);

  useEffect(() => {
    newest.current = data;
    chart.current?.setData(data);
  }, [data]);

  return (
    <div ref={holder} role="img" aria-label={label} className="h-full w-full overflow-hidden" />
  );
}

function optionsOf(parent: HTMLElement, series: Series): uPlot.Options {
  const style = getComputedStyle(parent);
  const color = (name: string) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: color('--muted-foreground'),
    grid: { stroke: color('--border'), width: 1 },
    ticks: { show: false },
    font: '12px Figtree, system-ui, sans-serif',
  };
  return {
    width: parent.clientWidth,
    height: parent.clientHeight,
    legend: { show: false },
    cursor: { show: false },
    scales: { y: { range: (_, __, max) => [0, Math.max(5, Math.ceil(max * 1.1))] } },
    axes: [
      {
        ...axis,
        size: 30,
        space: (plot) => (plot.width > 640 ? 100 : 52),
        values: (_, ticks) => ticks.map(clock),
      },
      { ...axis, size: 44, space: 36 },
    ],
    series: [
      {},
      ...series.map((line) => ({
        label: line.label,
        stroke: color(line.color),
        width: 2,
        points: { show: false },
      })),
    ],
  };
}

function clock(seconds: number): string {
  return new Date(seconds * 1_000).toLocaleTimeString('en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
}
