# The access_token of the answer goes into a header. It lives an hour: ask again then.
curl -H "Authorization: Bearer $ACCESS_TOKEN" <<env .Resource>>
