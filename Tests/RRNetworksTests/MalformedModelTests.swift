import Foundation
import RRNetworks
import Testing

@Suite("Malformed models")
struct MalformedModelTests {
    @Test(
        "the error names the layer and says what is wrong with it",
        arguments: [
            // Unknown layers and options.
            (#"["flatten","attention"]"#, "layers[1]", "attention"),
            (#"[{"residual":{"body":["relu",{"lstm":{}}]}}]"#, "layers[0].body[1]", "lstm"),
            (#"[{"residual":{"body":["relu"],"projection":"lstm"}}]"#, "layers[0].projection", "lstm"),
            (#"[{"groupnorm":{"groups":1,"affine":false}}]"#, "layers[0] (groupnorm)", "affine"),
            // Wrong types.
            ("[3]", "layers[0]", "must be a layer's name"),
            ("[[]]", "layers[0]", "must be a layer's name"),
            ("[null]", "layers[0]", "must be a layer's name"),
            (#"[{"conv2d":3}]"#, "layers[0] (conv2d)", "options"),
            (#"["conv2d"]"#, "layers[0] (conv2d)", "out"),
            (#"["groupnorm"]"#, "layers[0] (groupnorm)", "groups"),
            ("[\"residual\"]", "layers[0] (residual)", "list of layers"),
            (#"[{"residual":{"body":"relu"}}]"#, "layers[0] (residual)", "list of layers"),
            (#"[{"residual":{"body":[]}}]"#, "layers[0] (residual)", "at least one"),
            (
                #"[{"residual":{"body":["relu"],"projection":[]}}]"#, "layers[0] (residual)",
                "at least one layer"
            ),
            (#"[{"residual":{"body":["relu"],"projection":7}}]"#, "layers[0].projection", "name"),
            (#"[{"layernorm":{"eps":"small"}}]"#, "layers[0] (layernorm)", "eps"),
            (#"[{"conv2d":{"out":1.5,"kernel":1}}]"#, "layers[0] (conv2d)", "out"),
            // Sizes below and above every sense.
            (#"["relu",{"conv2d":{"out":-4,"kernel":3}}]"#, "layers[1] (conv2d)", "out"),
            (#"[{"groupnorm":{"groups":0}}]"#, "layers[0] (groupnorm)", "groups"),
            (#"[{"groupnorm":{"groups":1,"eps":-1}}]"#, "layers[0] (groupnorm)", "eps"),
            (#"["flatten",{"linear":{"out":1000000000}}]"#, "layers[1] (linear)", "out"),
            (#"["flatten",{"linear":{"out":1e300}}]"#, "layers[1] (linear)", "out"),
            (
                #"[{"residual":{"body":["flatten",{"linear":{"out":1000000000}}]}}]"#,
                "layers[0].body[1] (linear)", "out"
            ),
            // Shapes that do not fit.
            (#"[{"groupnorm":{"groups":2}}]"#, "layers[0] (groupnorm)", "3 channels into 2 groups"),
            (
                #"[{"conv2d":{"out":8,"kernel":3}},{"groupnorm":{"groups":3}}]"#, "layers[1] (groupnorm)",
                "8 channels into 3 groups"
            ),
            (
                #"[{"maxpool2d":{"kernel":4}},{"maxpool2d":{"kernel":2}},"flatten",{"linear":{"out":2}}]"#,
                "layers[1] (maxpool2d)", "does not fit"
            ),
            (
                #"[{"residual":{"body":[{"conv2d":{"out":3,"kernel":9}}]}}]"#, "layers[0].body[0] (conv2d)",
                "does not fit"
            ),
            (
                #"["relu",{"residual":{"body":["relu",{"residual":{"body":[{"linear":{"out":2}}]}}]}}]"#,
                "layers[1].body[1].body[0] (linear)", "flatten"
            ),
            (
                #"[{"residual":{"body":["relu"],"projection":{"conv2d":{"out":4,"kernel":1,"groups":2}}}}]"#,
                "layers[0].projection (conv2d)", "groups"
            ),
            (
                #"[{"residual":{"body":[{"conv2d":{"out":4,"kernel":1}}]}}]"#, "layers[0] (residual)",
                #"give it a "projection""#
            ),
            (
                #"[{"residual":{"body":["flatten"],"projection":"relu"}}]"#, "layers[0] (residual)",
                "75 features to a shortcut that gives maps of (3, 5, 5)"
            ),
            (#"["flatten","batchnorm2d"]"#, "layers[1] (batchnorm2d)", "flatten"),
            (
                #"["flatten",{"residual":{"body":[{"linear":{"out":16777216}},{"linear":{"out":75}}]}}]"#,
                "layers[1].body[0] (linear)", "parameters"
            ),
        ])
    func malformed(layers: String, location: String, hint: String) {
        let error = #expect(throws: NetworkError.self) { _ = try network(layers) }
        #expect(error?.location == location)
        #expect(error?.message.contains(hint) == true, "\(error.debugDescription)")
    }

    @Test(
        "batch normalisation by the batch at hand is refused, and group normalisation named",
        arguments: [
            #"{"frozen":false}"#, #"{"momentum":0.1}"#, #"{"track_running_stats":false}"#, #"{"track":true}"#,
            #"{"training":true}"#,
        ])
    func batchStatistics(options: String) {
        let error = #expect(throws: NetworkError.self) { _ = try network(#"[{"batchnorm2d":\#(options)}]"#) }
        #expect(error?.code == .unsupportedLayer)
        #expect(error?.location == "layers[0] (batchnorm2d)")
        #expect(error?.message.contains("groupnorm") == true)
    }

    @Test("layers that nest without end are refused, not followed")
    func depth() {
        let depth = 5000
        let layers =
            String(repeating: #"[{"residual":{"body":"#, count: depth) + #"["relu"]"#
            + String(repeating: "}}]", count: depth)
        #expect(throws: (any Error).self) { _ = try network(layers) }
    }

    private func network(_ layers: String) throws -> Network<Float> {
        let text =
            #"{"format":"rrdata.model","format_version":"1.0","input":[3,5,5],"classes":2,"layers":\#(layers)}"#
        return try Network(JSONDecoder().decode(ModelDescription.self, from: Data(text.utf8)))
    }
}
