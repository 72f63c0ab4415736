/** Fields of Salesforce accounts: tools write them in capitals, reports by their labels. Custom ones are named after them. */

export const SALESFORCE_NAMES: readonly string[] = [
  ...["Id", "IsDeleted", "MasterRecordId", "Name", "Type", "RecordTypeId", "ParentId", "OwnerId", "Phone", "Fax"],
  ...["BillingStreet", "BillingCity", "BillingState", "BillingPostalCode", "BillingCountry"],
  ...["BillingStateCode", "BillingCountryCode", "ShippingStateCode", "ShippingCountryCode"],
  ...["ShippingStreet", "ShippingCity", "ShippingState", "ShippingPostalCode", "ShippingCountry"],
  ...["AccountNumber", "Website", "Sic", "SicDesc", "Industry", "AnnualRevenue", "NumberOfEmployees", "Ownership"],
  ...["TickerSymbol", "Description", "Rating", "Site", "AccountSource", "CreatedDate", "CreatedById"],
  ...["LastModifiedDate", "LastModifiedById", "SystemModstamp", "LastActivityDate", "LastViewedDate"],
  ...["LastReferencedDate", "Jigsaw", "JigsawCompanyId", "CleanStatus", "DunsNumber", "Tradestyle", "NaicsCode"],
  ...["NaicsDesc", "YearStarted", "CurrencyIsoCode"],
];

export const SALESFORCE_LABELS: Readonly<Record<string, string>> = {
  "Account ID": "Id",
  "Account Name": "Name",
  "Account Owner ID": "OwnerId",
  "Parent Account ID": "ParentId",
  "Account Site": "Site",
  "Account Description": "Description",
  "Account Phone": "Phone",
  "Account Fax": "Fax",
  "Account Rating": "Rating",
  Employees: "NumberOfEmployees",
  "Billing Zip/Postal Code": "BillingPostalCode",
  "Billing State/Province": "BillingState",
  "Shipping Zip/Postal Code": "ShippingPostalCode",
  "Shipping State/Province": "ShippingState",
  "System Modstamp": "SystemModstamp",
  "Last Modified": "LastModifiedDate",
  "Last Activity": "LastActivityDate",
  "SIC Code": "Sic",
};
