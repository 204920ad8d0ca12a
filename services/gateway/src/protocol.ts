// The way of an order through the gateway without its process: what the simulation runs on time and
// chance of its own.

export { createPlaceOrder, type PlaceOrder } from './place-order.ts';
export { StockView } from './stock-view.ts';
