// swift-tools-version: 6.3
// A package that depends on rrdata as any other would: it sees what is public, and nothing else. `.ci/test-outside`
// builds a copy of it, with the snippets of the documentation as the sources of `Snippets`.
import PackageDescription

let package = Package(
    name: "OutsidePackage",
    dependencies: [.package(name: "rrdata", path: "../..")],
    targets: ["Demo", "Snippets"].map { name in
        .executableTarget(
            name: name,
            dependencies: [
                .product(name: "RRData", package: "rrdata"), .product(name: "RRTraining", package: "rrdata"),
            ])
    }
)
