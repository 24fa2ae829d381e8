package io.cameleer.agent.diagram;

import java.io.StringReader;
import java.io.StringWriter;
import java.util.Set;

import javax.xml.XMLConstants;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.transform.OutputKeys;
import javax.xml.transform.Transformer;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;

import org.w3c.dom.Attr;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NamedNodeMap;
import org.w3c.dom.Node;
import org.w3c.dom.Text;
import org.xml.sax.InputSource;

import io.cameleer.agent.mask.BodyMasker;
import io.cameleer.agent.mask.SensitiveKeys;
import io.cameleer.agent.mask.UriMasker;

/** Takes the secrets out of a route that was dumped as XML: of addresses, of what a sensitive header is set to, and of options by their name. */
public final class SourceMasker {

    private static final int MOST = 256 << 10;
    private static final Set<String> NAMING = Set.of("name", "key", "headerName", "propertyName");

    private SourceMasker() {
    }

    /** Null when the text cannot be read, and so cannot be made safe, or is too long. */
    public static String mask(String xml, SensitiveKeys keys) {
        if (xml == null || xml.length() > MOST) {
            return null;
        }
        try {
            // the JDK's own: an application may bring a parser that does not know these limits
            DocumentBuilderFactory factory = DocumentBuilderFactory.newDefaultInstance();
            factory.setFeature(XMLConstants.FEATURE_SECURE_PROCESSING, true);
            factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
            Document document = factory.newDocumentBuilder().parse(new InputSource(new StringReader(xml)));
            element(document.getDocumentElement(), keys, false);
            TransformerFactory transformers = TransformerFactory.newDefaultInstance();
            transformers.setFeature(XMLConstants.FEATURE_SECURE_PROCESSING, true);
            Transformer transformer = transformers.newTransformer();
            transformer.setOutputProperty(OutputKeys.OMIT_XML_DECLARATION, "yes");
            StringWriter out = new StringWriter(xml.length());
            transformer.transform(new DOMSource(document), new StreamResult(out));
            return out.toString();
        } catch (Exception | LinkageError e) {
            return null;
        }
    }

    private static void element(Element element, SensitiveKeys keys, boolean inSecret) {
        boolean secret = inSecret || namesSecret(element, keys);
        NamedNodeMap attributes = element.getAttributes();
        for (int i = 0; i < attributes.getLength(); i++) {
            Attr attribute = (Attr) attributes.item(i);
            if (secret && "value".equals(attribute.getName()) || UriMasker.secret(attribute.getName(), keys)) {
                attribute.setValue(SensitiveKeys.MASK);
            } else if (!NAMING.contains(attribute.getName()) && !"id".equals(attribute.getName())) {
                attribute.setValue(UriMasker.mask(attribute.getValue(), keys));
            }
        }
        for (Node child = element.getFirstChild(); child != null; child = child.getNextSibling()) {
            if (child instanceof Element inner) {
                element(inner, keys, secret || UriMasker.secret(inner.getTagName(), keys));
            } else if (child instanceof Text text && !text.getData().isBlank()) {
                text.setData(secret ? SensitiveKeys.MASK : BodyMasker.mask(UriMasker.mask(text.getData(), keys), keys));
            }
        }
    }

    private static boolean namesSecret(Element element, SensitiveKeys keys) {
        for (String naming : NAMING) {
            if (element.hasAttribute(naming) && UriMasker.secret(element.getAttribute(naming), keys)) {
                return true;
            }
        }
        return false;
    }
}
