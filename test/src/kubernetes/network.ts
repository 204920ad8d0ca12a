// What the NetworkPolicies of a namespace allow, by the rules of the API: a pod that some policy selects
// may do only what a policy that selects it allows, and both ends have to agree.

import { type KubeObject, matches, ofKind, type Selector, type Workload } from './objects.ts';

type Peer = {
  podSelector?: Selector;
  namespaceSelector?: Selector;
  ipBlock?: { cidr: string; except?: string[] };
};
type Rule = { from?: Peer[]; to?: Peer[]; ports?: { protocol?: string; port?: number }[] };
type Policy = {
  podSelector: Selector;
  policyTypes: ('Ingress' | 'Egress')[];
  ingress?: Rule[];
  egress?: Rule[];
};

/** Somebody of our namespace, of a namespace with these labels, or at a public address. */
export type Party =
  | { readonly where: 'here'; readonly workload: Workload }
  | { readonly where: 'namespace'; readonly labels: Readonly<Record<string, string>> }
  | { readonly where: 'public' };

export type Network = {
  /** Whether this way is open; from and to outside only our end is asked. */
  allows(from: Party, to: Party, port: number): boolean;
};

export function networkOf(objects: readonly KubeObject[]): Network {
  const policies = ofKind<Policy>(objects, 'NetworkPolicy').map(({ spec }) => spec);
  const letsThrough = (
    type: 'Ingress' | 'Egress',
    own: Workload,
    other: Party,
    port: number,
  ): boolean => {
    const selecting = policies.filter(
      (policy) => policy.policyTypes.includes(type) && matches(policy.podSelector, own.labels),
    );
    if (selecting.length === 0) return true;
    const rules = selecting.flatMap((policy) =>
      type === 'Ingress' ? (policy.ingress ?? []) : (policy.egress ?? []),
    );
    return rules.some(
      (rule) =>
        (rule.ports?.some((allowed) => allowed.port === port) ?? true) &&
        ((type === 'Ingress' ? rule.from : rule.to)?.some((peer) => isPeer(peer, other)) ?? true),
    );
  };
  return {
    allows: (from, to, port) =>
      (from.where !== 'here' || letsThrough('Egress', from.workload, to, port)) &&
      (to.where !== 'here' || letsThrough('Ingress', to.workload, from, port)),
  };
}

function isPeer({ podSelector, namespaceSelector, ipBlock }: Peer, party: Party): boolean {
  switch (party.where) {
    case 'here':
      if (ipBlock || namespaceSelector) return false;
      return podSelector !== undefined && matches(podSelector, party.workload.labels);
    case 'namespace':
      // Which pods are meant in another namespace is nothing that we could know.
      return namespaceSelector !== undefined && matches(namespaceSelector, party.labels);
    case 'public':
      return ipBlock !== undefined;
  }
}
