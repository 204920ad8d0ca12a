// Objects against the schemas of the API: Kubernetes itself, the Prometheus Operator, the Gateway API.
//
// H1. The validators are compiled from the API's own schemas. Those let unknown fields pass, as the API
//     once did. A validator reads every field that its schema knows, and no other; so a field that was
//     never read is unknown, and most often a slip of the pen.

import { HTTPRoute } from '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1';
import {
  PrometheusRule,
  ServiceMonitor,
} from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import { Deployment, StatefulSet } from 'kubernetes-models/apps/v1';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2';
import { Job } from 'kubernetes-models/batch/v1';
import { Ingress, NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import {
  ConfigMap,
  Namespace,
  PersistentVolumeClaim,
  Secret,
  Service,
  ServiceAccount,
} from 'kubernetes-models/v1';
import { type KubeObject, nameOf } from './objects.ts';

type Model = { readonly apiVersion: string; readonly kind: string; readonly prototype: object };

const models: readonly Model[] = [
  ...[ConfigMap, Namespace, PersistentVolumeClaim, Secret, Service, ServiceAccount],
  ...[Deployment, StatefulSet, Job, HorizontalPodAutoscaler, PodDisruptionBudget],
  ...[Ingress, NetworkPolicy, HTTPRoute, PrometheusRule, ServiceMonitor],
];

/** What the schema of its kind has against an object. */
export function schemaFindings(object: KubeObject): string[] {
  const model = models.find(
    ({ apiVersion, kind }) => apiVersion === object.apiVersion && kind === object.kind,
  );
  if (model === undefined) return [`${nameOf(object)}: no schema of ${object.apiVersion} is known`];
  const unread = new Set<string>();
  const watched = watch(object, '', unread, model.prototype) as { validate(): void };
  try {
    watched.validate();
  } catch (error) {
    return [`${nameOf(object)}: ${(error as Error).message}`];
  }
  return [...unread].map((path) => `${nameOf(object)}: unknown field ${path}`);
}

/** The same value; what is read of it is taken from `unread` (H1). */
function watch(value: unknown, path: string, unread: Set<string>, prototype: object): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const inside = (inner: unknown, key: string | number) =>
    watch(inner, `${path}/${key}`, unread, Object.prototype);
  if (Array.isArray(value)) return value.map(inside);
  const copy: Record<string, unknown> = Object.create(prototype);
  for (const [key, inner] of Object.entries(value)) {
    copy[key] = inside(inner, key);
    unread.add(`${path}/${key}`);
  }
  return new Proxy(copy, {
    get: (target, key) => {
      unread.delete(`${path}/${String(key)}`);
      return Reflect.get(target, key);
    },
  });
}
