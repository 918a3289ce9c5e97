// What the API answers, from the schemas of its documentation.
import type * as v from 'valibot';
import type * as schemas from '../shared/openapi/schemas';

export type { Permission } from '../shared/roles/permissions';

type Body<S extends v.GenericSchema> = v.InferOutput<S>;

export type NewAccessToken = Body<typeof schemas.NewAccessToken>;
export type Me = Body<typeof schemas.Me>;
export type User = Body<typeof schemas.User>;
export type UserList = Body<typeof schemas.UserList>;
export type SessionList = Body<typeof schemas.SessionList>;
export type FactorList = Body<typeof schemas.FactorList>;
export type PasskeyList = Body<typeof schemas.PasskeyList>;
export type RoleList = Body<typeof schemas.RoleList>;
export type EventList = Body<typeof schemas.EventList>;
export type LoggedEvent = EventList['events'][number];
export type DeadLetter = Body<typeof schemas.DeadLetter>;
export type DeadLetterList = Body<typeof schemas.DeadLetterList>;
export type Replay = Body<typeof schemas.Replay>;
export type ReplayList = Body<typeof schemas.ReplayList>;
export type Webhook = Body<typeof schemas.Webhook>;
export type WebhookList = Body<typeof schemas.WebhookList>;
export type WebhookWithSecret = Body<typeof schemas.WebhookWithSecret>;
export type DeliveryList = Body<typeof schemas.DeliveryList>;
export type Delivery = DeliveryList['deliveries'][number];
export type AuditEntryList = Body<typeof schemas.AuditEntryList>;
export type RegistrationReport = Body<typeof schemas.RegistrationReport>;
export type DataExport = Body<typeof schemas.Export>;
export type Erasure = Body<typeof schemas.Erasure>;
export type ErasureList = Body<typeof schemas.ErasureList>;
export type ErasureLookup = Body<typeof schemas.ErasureLookup>;
export type DataHolder = Body<typeof schemas.DataHolder>;
export type DataHolderWithKey = Body<typeof schemas.DataHolderWithKey>;
export type DataHolderList = Body<typeof schemas.DataHolderList>;
export type Health = Body<typeof schemas.Health>;
export type EventsPerMinute = Body<typeof schemas.EventsPerMinute>;
export type ReplayCount = Body<typeof schemas.ReplayCount>;
export type QueueList = Body<typeof schemas.QueueList>;
export type EventDetail = Body<typeof schemas.EventWithHistory>;
export type HistoryEntry = EventDetail['history'][number];
