package io.cameleer.agent.camel;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;

import org.apache.camel.CamelContext;
import org.apache.camel.ErrorHandlerFactory;
import org.apache.camel.NamedNode;
import org.apache.camel.model.ChoiceDefinition;
import org.apache.camel.model.CircuitBreakerDefinition;
import org.apache.camel.model.FromDefinition;
import org.apache.camel.model.Model;
import org.apache.camel.model.OnFallbackDefinition;
import org.apache.camel.model.OptionalIdentifiedDefinition;
import org.apache.camel.model.OtherwiseDefinition;
import org.apache.camel.model.ProcessorDefinition;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.SendDefinition;
import org.apache.camel.model.ToDynamicDefinition;
import org.apache.camel.model.TryDefinition;
import org.apache.camel.model.WhenDefinition;
import org.apache.camel.model.errorhandler.DeadLetterChannelDefinition;
import org.apache.camel.support.PluginHelper;

import io.cameleer.agent.diagram.RouteGraph;
import io.cameleer.agent.diagram.RouteGraph.Edge;
import io.cameleer.agent.diagram.RouteGraph.Node;
import io.cameleer.agent.diagram.SourceMasker;
import io.cameleer.agent.mask.BodyMasker;
import io.cameleer.agent.mask.SensitiveKeys;
import io.cameleer.agent.mask.UriMasker;

/** Reads the graph of one route from the model that the route was built from. */
final class RouteGraphReader {

    private static final int NODES = 5_000;
    private static final int LABEL = 512;
    private static final Set<String> ASIDE = Set.of("onException", "onCompletion", "intercept", "interceptFrom", "interceptSendToEndpoint");

    private static final Pattern ADDRESS = Pattern.compile("(?<=[\\w$/])@(0x)?[0-9a-f]{4,16}\\b");
    private static final Pattern LAMBDA = Pattern.compile("\\$\\$Lambda(\\$\\d+)?/(0x)?[0-9a-f]+");
    private static final Pattern MADE_UP_FROM = Pattern.compile("(<from\\b[^>]*?) id=\"from\\d+\"");

    private final SensitiveKeys keys;
    private final List<Edge> edges = new ArrayList<>();
    private final Set<String> ids = new HashSet<>();
    private String first;

    private RouteGraphReader(SensitiveKeys keys) {
        this.keys = keys;
    }

    /** Null when the context has no model of such a route. */
    static RouteGraph read(CamelContext context, String routeId, SensitiveKeys keys) {
        Model model = context.getCamelContextExtension().getContextPlugin(Model.class);
        RouteDefinition route = model == null ? null : model.getRouteDefinition(routeId);
        return route == null || route.getInput() == null ? null : new RouteGraphReader(keys).graph(context, route);
    }

    private RouteGraph graph(CamelContext context, RouteDefinition route) {
        List<Node> nodes = new ArrayList<>();
        FromDefinition from = route.getInput();
        // an id that Camel makes up counts on from route to route, so it is none to know a route by
        first = from.getId() == null || !from.hasCustomIdAssigned() ? route.getRouteId() + ":from" : from.getId();
        ids.add(first);
        String uri = from.getEndpointUri();
        nodes.add(new Node(first, "from", label(from), uri == null ? null : UriMasker.mask(uri, keys), List.of()));
        nodes.addAll(sequence(first, "flow", route.getOutputs()));
        errorHandler(route, nodes);
        return new RouteGraph(route.getRouteId(), route.getDescriptionText(), nodes, edges, source(context, route));
    }

    /** What runs one after another: the first is reached by {@code entry}, the others by {@code flow}. */
    private List<Node> sequence(String before, String entry, List<? extends NamedNode> definitions) {
        List<Node> nodes = new ArrayList<>();
        String last = before;
        String kind = entry;
        for (NamedNode definition : definitions) {
            String aside = aside(definition);
            Node node = node(definition, aside == null ? last : first.equals(before) ? first : before, aside == null ? kind : aside);
            if (node == null) {
                continue;
            }
            nodes.add(node);
            if (aside == null) {
                last = node.id();
                kind = "flow";
            }
        }
        return nodes;
    }

    private List<Node> branches(String before, String kind, List<? extends NamedNode> definitions) {
        List<Node> nodes = new ArrayList<>();
        for (NamedNode definition : definitions) {
            Node node = node(definition, before, kind);
            if (node != null) {
                nodes.add(node);
            }
        }
        return nodes;
    }

    private Node node(NamedNode definition, String before, String kind) {
        String id = definition.getId() == null ? definition.getShortName() : definition.getId();
        if (!ids.add(id) || ids.size() > NODES) {
            // the model shows some blocks twice, such as a circuit breaker's fallback
            return null;
        }
        edges.add(new Edge(before, id, kind));
        return new Node(id, definition.getShortName(), label(definition), uri(definition), children(definition, id));
    }

    private List<Node> children(NamedNode definition, String id) {
        String type = definition.getShortName();
        List<NamedNode> inside = inside(definition);
        if ("choice".equals(type) || "loadBalance".equals(type)) {
            return branches(id, "branch", inside);
        }
        return "multicast".equals(type) ? branches(id, type, inside) : sequence(id, entry(type), inside);
    }

    /** What a block consists of. The later versions of Camel no longer count a branch among the outputs of what branches. */
    private static List<NamedNode> inside(NamedNode definition) {
        List<NamedNode> inside = new ArrayList<>();
        if (definition instanceof ChoiceDefinition choice) {
            inside.addAll(choice.getWhenClauses());
            inside.add(choice.getOtherwise());
        } else if (definition instanceof TryDefinition attempt) {
            inside.addAll(attempt.getOutputsWithoutCatches());
            inside.addAll(attempt.getCatchClauses());
            inside.add(attempt.getFinallyClause());
        } else if (definition instanceof ProcessorDefinition<?> processor) {
            inside.addAll(processor.getOutputs());
        } else if (definition instanceof OptionalIdentifiedDefinition<?> branch) {
            inside.addAll(ofBranch(branch));
        }
        if (definition instanceof CircuitBreakerDefinition breaker) {
            inside.add(breaker.getOnFallback());
        }
        inside.removeIf(Objects::isNull);
        return inside;
    }

    /** In later versions of Camel these are no processors of their own. */
    private static List<? extends NamedNode> ofBranch(Object branch) {
        if (branch instanceof WhenDefinition when) {
            return when.getOutputs();
        } else if (branch instanceof OtherwiseDefinition otherwise) {
            return otherwise.getOutputs();
        }
        return branch instanceof OnFallbackDefinition fallback ? fallback.getOutputs() : List.of();
    }

    /** How a block is entered. */
    private static String entry(String type) {
        return switch (type) {
            case "split", "loop" -> type;
            case "filter" -> "branch";
            case "when", "otherwise", "doTry", "doCatch", "doFinally", "onFallback", "onException", "onCompletion" -> "flow";
            default -> "child";
        };
    }

    /** By which kind of edge something is reached that is no step of the sequence it stands in, else null. */
    private static String aside(NamedNode definition) {
        String type = definition.getShortName();
        return switch (type) {
            case "doCatch" -> "catch";
            case "doFinally" -> "finally";
            case "onFallback" -> "fallback";
            case "onException" -> "error";
            case "onCompletion" -> "completion";
            default -> ASIDE.contains(type) ? "intercept" : null;
        };
    }

    private void errorHandler(RouteDefinition route, List<Node> nodes) {
        ErrorHandlerFactory factory = route.getErrorHandlerFactory();
        if (factory instanceof DeadLetterChannelDefinition channel && channel.getDeadLetterUri() != null) {
            String id = route.getRouteId() + ":errorHandler";
            nodes.add(new Node(id, "errorHandler", "deadLetterChannel", UriMasker.mask(channel.getDeadLetterUri(), keys), List.of()));
            edges.add(new Edge(first, id, "error"));
        }
    }

    private String uri(NamedNode definition) {
        String uri = null;
        if (definition instanceof SendDefinition<?> send) {
            uri = send.getUri() == null ? send.getEndpointUri() : send.getUri();
        } else if (definition instanceof ToDynamicDefinition dynamic) {
            uri = dynamic.getUri();
        }
        return uri == null ? null : UriMasker.mask(uri, keys);
    }

    private String label(NamedNode definition) {
        String label = definition.getLabel();
        if (label == null) {
            return null;
        }
        label = UriMasker.mask(stable(label), keys);
        for (String start : List.of("{\"", "[{", "<")) {
            int at = label.indexOf(start);
            if (at >= 0) {
                label = label.substring(0, at) + BodyMasker.mask(label.substring(at), keys);
            }
        }
        return label.length() <= LABEL ? label : label.substring(0, LABEL) + "…";
    }

    /** Without what is another in each JVM, so that the same route has the same hash everywhere: addresses of objects, numbers of lambdas. */
    private static String stable(String text) {
        return LAMBDA.matcher(ADDRESS.matcher(text).replaceAll("")).replaceAll("\\$\\$Lambda");
    }

    /** As Camel itself writes it, when the application has what that takes. */
    private String source(CamelContext context, RouteDefinition route) {
        try {
            String xml = PluginHelper.getModelToXMLDumper(context).dumpModelAsXml(context, route);
            return xml == null ? null : SourceMasker.mask(stable(MADE_UP_FROM.matcher(xml).replaceFirst("$1")), keys);
        } catch (Exception | LinkageError e) {
            return null;
        }
    }
}
