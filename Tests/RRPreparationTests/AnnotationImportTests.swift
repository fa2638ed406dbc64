import Foundation
import RRDatasets
import RRFormats
import RRPreparation
import TestSupport
import Testing

/// `Fixtures/formats/annotations` has files of annotation tools; `masks.json` is what the tools themselves make of them.
@Suite("Importing masks of annotation tools")
struct AnnotationImportTests {
    struct Expected: Decodable {
        let source: String
        let image: Int
        let label: String
        let mask: [Int]
    }

    static let (height, width) = (24, 32)

    let subject: MaskImportCase
    let expected: [Expected]

    init() throws {
        subject = try MaskImportCase(height: Self.height, width: Self.width)
        let data = try Data(contentsOf: URL(filePath: Fixtures.path("formats/annotations/masks.json")))
        expected = try JSONDecoder().decode([Expected].self, from: data)
    }

    static func fixture(_ name: String) -> String { Fixtures.path("formats/annotations/\(name)") }

    /// The unions of the masks of some labels.
    func unions(_ source: String, _ labels: [String]) -> [[UInt8]] {
        var masks = Array(
            repeating: [UInt8](repeating: 0, count: Self.height * Self.width), count: SampleDataset.count)
        for mask in expected where mask.source == source && labels.contains(mask.label) {
            var start = 0
            for (position, count) in mask.mask.enumerated() {
                if position % 2 == 1 {
                    for place in start..<start + count { masks[mask.image][place] = 1 }
                }
                start += count
            }
        }
        return masks
    }

    @Test(
        "masks are the very pixels that the tools make, and labels are chosen by name",
        arguments: [
            ("labelme", "labelme", MaskSourceKind.labelme), ("cvat", "cvat.xml", .cvat),
            ("label-studio", "label-studio.json", .labelStudio),
            ("label-studio", "label-studio-min.json", .labelStudio), ("yolo", "yolo", .yolo),
            ("yolo", "yolo/labels", .yolo), ("yolo", "yolo/labels/batch", .yolo),
        ])
    func masks(source: String, file: String, kind: MaskSourceKind) throws {
        for labels in [["logo", "ruler"], ["logo"], ["ruler"]] {
            let summary = try subject.run(Self.fixture(file)) {
                ($0.categories, $0.force) = (labels.count > 1 ? [] : labels, true)
            }
            #expect(summary.source == kind)
            let (found, wanted) = (try subject.masks(), unions(source, labels))
            for sample in found.indices {
                #expect(found[sample] == wanted[sample], "\(labels) of sample \(sample)")
            }
            #expect(wanted.joined().count { $0 == 1 } > 150)
            // Of CVAT an image without a shape says nothing, of the others it was looked at.
            #expect(kind == .cvat ? summary.samplesWithoutMask >= 2 : summary.samplesWithoutMask == 2)
            let counts = try #require(summary.tally.annotations)
            #expect(counts.unmatched == 0 && (labels.count > 1) == (counts.filtered == 0) && counts.used > 2)
        }
        let error = try subject.error(Self.fixture(file)) { ($0.categories, $0.force) = (["rulers"], true) }
        #expect(error?.code == .invalidOption && error?.message.contains("there are logo") == true)
    }
}
