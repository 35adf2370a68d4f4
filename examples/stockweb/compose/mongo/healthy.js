// The health check of `documents`, for mongosh: whether the application may come. At the first start it makes that so: a
// replica set of one, and a user that owns its database. It fails until both are there; Compose asks again.

const { MONGO_INITDB_ROOT_USERNAME, MONGO_INITDB_ROOT_PASSWORD, MONGODB_PASSWORD } = process.env;
const admin = db.getSiblingDB("admin");
const owned = db.getSiblingDB("stockweb");

admin.auth(MONGO_INITDB_ROOT_USERNAME, MONGO_INITDB_ROOT_PASSWORD);

// While the image makes root the server is no member of a set, and this ends here.
if (!admin.hello().setName) {
  rs.initiate({ _id: "stockweb", members: [{ _id: 0, host: "documents:27017" }] });
}
if (!admin.hello().isWritablePrimary) {
  quit(1);
}
if (owned.getUser("stockweb") === null) {
  owned.createUser({
    user: "stockweb",
    pwd: MONGODB_PASSWORD,
    roles: [{ role: "dbOwner", db: "stockweb" }],
  });
}
