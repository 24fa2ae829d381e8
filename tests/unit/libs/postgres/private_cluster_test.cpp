#include "private_cluster.hpp"

#include <catch2/catch.hpp>

using cameleer::test::PrivateCluster;

TEST_CASE("a private cluster answers, survives an immediate stop with its rows, and tells errors") {
  PrivateCluster cluster;
  CHECK(cluster.execute("show server_encoding") == "UTF8");
  cluster.execute("create table kept (id int primary key); insert into kept values (7)");
  cluster.stop_immediately();
  CHECK_THROWS(cluster.execute("select 1"));
  cluster.start();
  CHECK(cluster.execute("select id from kept") == "7");
  CHECK_THROWS(cluster.execute("select nonsense"));
}
