/** Where HubSpot's API answers (facts: HubSpot, 1). Dated versions live for 18 months after their release. */

export const HUBSPOT_VERSION = "2026-09";

const OBJECTS = `/crm/objects/${HUBSPOT_VERSION}/companies`;

export const PATHS = {
  list: OBJECTS,
  search: `${OBJECTS}/search`,
  batchRead: `${OBJECTS}/batch/read`,
  properties: `/crm/properties/${HUBSPOT_VERSION}/companies`,
  companyContacts: `/crm/associations/${HUBSPOT_VERSION}/companies/contacts/batch/read`,
  contactBatchRead: `/crm/objects/${HUBSPOT_VERSION}/contacts/batch/read`,
  exports: `/crm/exports/${HUBSPOT_VERSION}/export`,
  owners: `/crm/owners/${HUBSPOT_VERSION}`,
  token: `/oauth/${HUBSPOT_VERSION}/token`,
  account: `/account-info/${HUBSPOT_VERSION}/details`,
} as const;
