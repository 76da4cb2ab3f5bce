using System.Xml.Linq;

namespace Tunnel.Tests.Tidy;

public class LayerTests
{
    [Fact]
    public void LayersKnowOnlyThoseBelowThem() =>
        Sources.ExpectNone(Sources.CSharp("src").SelectMany(file => Layers.Offences(file, Sources.Read(file))));

    [Theory]
    [InlineData("src/Tunnel.Protocol/Wire/A.cs", "using Tunnel.Protocol.Crypto;", "Tunnel.Protocol/Crypto")]
    [InlineData("src/Tunnel.Protocol/Wire/A.cs", "var a = Crypto.Guard.KeyLength;", "Tunnel.Protocol/Crypto")]
    [InlineData("src/Tunnel.Protocol/Primitives/A.cs", "global using static Tunnel.Protocol.Wire.B;", "Tunnel.Protocol/Wire")]
    [InlineData("src/Tunnel.Protocol/Sessions/A.cs", "using B = Tunnel.Links.IPacketLink;", "Tunnel.Links/IPacketLink")]
    [InlineData("src/Tunnel.Links/Pcap/A.cs", "Protocol.Wire.B b;", "Tunnel.Protocol/Wire")]
    [InlineData("src/Tunnel.Links/A.cs", "using Tunnel.App;", "Tunnel.App/")]
    [InlineData("src/Tunnel.App/Config/A.cs", "using Tunnel.App.Runtime;", "Tunnel.App/Runtime")]
    [InlineData("src/Tunnel.App/Runtime/A.cs", "Services.Relay r;", "Tunnel.App/Services")]
    [InlineData("src/Tunnel.Protocol/Mux/MuxStream.cs", "using Tunnel.Protocol.Kcp;", "Tunnel.Protocol/Kcp")]
    public void WhatIsForbiddenIsFound(string file, string text, string known) =>
        Assert.EndsWith($"may not know {known}", Assert.Single(Layers.Offences(file, text)), StringComparison.Ordinal);

    [Theory]
    [InlineData("src/Tunnel.Protocol/Wire/A.cs", "using Tunnel.Protocol.Primitives; // not Tunnel.Protocol.Crypto")]
    [InlineData("src/Tunnel.Protocol/Sessions/A.cs", "using Tunnel.Protocol.Mux; using Tunnel.Protocol.Wire;")]
    [InlineData("src/Tunnel.App/Runtime/A.cs", "using Tunnel.Links; using Tunnel.Protocol.Kcp; builder.Services.Add();")]
    public void WhatIsAllowedIsNot(string file, string text) => Assert.Empty(Layers.Offences(file, text));

    [Fact]
    public void ProjectsReferToThoseThatTheyMayKnow()
    {
        Assert.Empty(ReferencesOf("src/Tunnel.Protocol/Tunnel.Protocol.csproj"));
        Assert.Empty(ReferencesOf("src/Tunnel.Links/Tunnel.Links.csproj"));
        Assert.Equal(["Tunnel.Links", "Tunnel.Protocol"], ReferencesOf("src/Tunnel.App/Tunnel.App.csproj").Order());
    }

    /// <summary>A using in a project file would put a layer into sight of files that do not say so.</summary>
    [Fact]
    public void ProjectFilesImportNoNamespace() => Sources.ExpectNone(Sources.Files
        .Where(f => f.StartsWith("src/", StringComparison.Ordinal) && f.EndsWith(".csproj", StringComparison.Ordinal))
        .Where(f => XDocument.Parse(Sources.Read(f)).Descendants("Using").Any()));

    [Fact]
    public void OnlyLinksIsNative()
    {
        string[] words = ["unsafe", "LibraryImport", "DllImport", "LibraryImportAttribute", "DllImportAttribute"];
        Sources.ExpectNone(Sources.CSharp("src", "cmd")
            .Where(file => !file.StartsWith("src/Tunnel.Links/", StringComparison.Ordinal))
            .SelectMany(file => Words.Of(CSharpText.CodeOnly(Sources.Read(file))).Intersect(words).Select(word => $"{file}: {word}")));
    }

    private static IEnumerable<string> ReferencesOf(string project) => XDocument.Parse(Sources.Read(project))
        .Descendants("ProjectReference").Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value));
}
