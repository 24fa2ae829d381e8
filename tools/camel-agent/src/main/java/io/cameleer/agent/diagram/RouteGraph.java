package io.cameleer.agent.diagram;

import java.util.List;

/**
 * A route as a graph: the nodes as the model nests them, and how an exchange goes from one to another. Node ids are the processor ids
 * that executions use.
 *
 * @param description what the route's author wrote, or null
 * @param nodes the route's beginning, then what it consists of
 * @param source the route as XML without secrets, or null
 */
public record RouteGraph(String routeId, String description, List<Node> nodes, List<Edge> edges, String source) {

    /**
     * One step.
     *
     * @param type Camel's short name, such as {@code setBody}
     * @param uri where it sends to or receives from, as the route says it and without secrets; or null
     * @param children what the model has inside it, in order
     */
    public record Node(String id, String type, String label, String uri, List<Node> children) {
    }

    /**
     * A way from one node to another.
     *
     * @param kind {@code flow}: afterwards; {@code branch}, {@code multicast}, {@code split}, {@code loop}, {@code child}: into a block;
     *     {@code catch}, {@code finally}, {@code fallback}, {@code error}: when something failed; {@code completion}, {@code intercept}
     */
    public record Edge(String from, String to, String kind) {
    }
}
