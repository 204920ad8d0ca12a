// A dashboard as data: what its panels ask and what their answers mean. Grafana's JSON is made of it
// in `build.ts`, the tables of docs/DASHBOARDS.md in `page.ts`.

export type Query = {
  readonly expr: string;
  /** The name of a line: a text with labels in it, as `{{service}}`. */
  readonly legend: string;
  /** Shows traces behind the figures as dots. */
  readonly exemplars?: boolean;
};

/** Grafana's names of units. */
export type Unit = 'cps' | 's' | 'percentunit' | 'bytes' | 'Bps' | 'short' | 'dtdurations';

/** A value from which on something is wrong, drawn as a line or a colour. */
export type Bound = { readonly value: number; readonly wrong: 'above' | 'below' };

type Common = {
  readonly title: string;
  /** What the answer means, for somebody who was just woken up. */
  readonly tells: string;
  /** Of 24 columns. */
  readonly width?: number;
};
export type Panel = Common &
  (
    | {
        /** Over time. */
        readonly kind: 'lines';
        readonly unit: Unit;
        readonly queries: readonly Query[];
        readonly bound?: Bound;
        readonly stacked?: boolean;
      }
    | {
        /** The last value, large. */
        readonly kind: 'number';
        readonly unit: Unit;
        readonly queries: readonly Query[];
        readonly bound?: Bound;
        /** Words for values. */
        readonly words?: Readonly<Record<string, string>>;
      }
    | {
        /** The last value of each series, one a row. */
        readonly kind: 'table';
        readonly unit: Unit;
        readonly queries: readonly Query[];
      }
    | {
        /** Log lines; LogQL. */
        readonly kind: 'logs';
        readonly logql: string;
      }
  );

export type Row = {
  readonly title: string;
  readonly panels: readonly Panel[];
  /** Closed at first: not everybody has what it shows. */
  readonly closed?: boolean;
};

export type Dashboard = {
  /** The name of its file, and its address in Grafana. */
  readonly uid: string;
  readonly title: string;
  readonly tells: string;
  readonly rows: readonly Row[];
};

type Of<K extends Panel['kind']> = Omit<Extract<Panel, { kind: K }>, 'kind' | 'title' | 'tells'>;

export const query = (expr: string, legend: string): Query => ({ expr, legend });

export function lines(title: string, tells: string, rest: Of<'lines'>): Panel {
  return { kind: 'lines', title, tells, ...rest };
}

export function number(title: string, tells: string, rest: Of<'number'>): Panel {
  return { kind: 'number', title, tells, ...rest };
}

export function table(title: string, tells: string, rest: Of<'table'>): Panel {
  return { kind: 'table', title, tells, ...rest };
}

export function logs(title: string, tells: string, rest: Of<'logs'>): Panel {
  return { kind: 'logs', title, tells, ...rest };
}
