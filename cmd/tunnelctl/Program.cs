using System.CommandLine;
using Tunnel.Ctl.Demo;
using Tunnel.Ctl.Verbs;

var root = new RootCommand("tunnelctl: tools around the tunnel")
{
    DemoVerb.Create(),
    InitVerb.Create(),
    KeygenVerb.Create(),
    CheckVerb.Create(),
    PingVerb.Create(),
    DumpVerb.Create(),
    BenchVerb.Create(),
    EmulateVerb.Create(),
    TopVerb.Create(),
    ProfileVerb.Create(),
    VersionVerb.Create(),
};
ParseResult parsed = root.Parse(args);
int result = await parsed.InvokeAsync();
return parsed.Errors.Count != 0 ? Tunnel.App.Hosting.ExitCode.Usage : result;
